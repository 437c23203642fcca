"""Pictures for docs/screenshots, taken by tests that go through the pages: `make screenshots`.

Any other run takes none. Moments are shown as if it were 18:05 on Tuesday 1 December, so that a
picture changes only with what it shows.
"""

import os
from pathlib import Path

from playwright.async_api import Page

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
ASKED = "P2K16_SCREENSHOTS"

STAND_STILL = """
() => {
  document.querySelector("input:focus")?.blur();
  const shown = Date.parse("2026-12-01T18:05:30");
  const shift = shown - Date.now();
  const months = Array.from({ length: 12 }, (_, month) =>
    new Date(2026, month, 1).toLocaleDateString("en-GB", { month: "long" }));
  const clock = (exact) => (text, hours, minutes) => {
    const then = exact ? new Date(exact) : new Date();
    if (!exact) then.setHours(hours, minutes, 0, 0);
    return new Date(then.getTime() + shift).toTimeString().slice(0, 5);
  };
  const day = (text, number, month, year) => {
    const then = new Date(year || new Date().getFullYear(), months.indexOf(month), number, 12);
    const moved = new Date(then.getTime() + Math.round(shift / 86400000) * 86400000);
    const name = `${moved.getDate()} ${months[moved.getMonth()]}`;
    return moved.getFullYear() === 2026 ? name : `${name} ${moved.getFullYear()}`;
  };
  const days = new RegExp(`\\\\b(\\\\d{1,2}) (${months.join("|")})(?: (\\\\d{4}))?\\\\b`, "g");
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const exact = node.parentElement.closest("time[datetime]")?.dateTime;
    const still = node.data.replace(days, day)
      .replace(/\\b(\\d\\d):(\\d\\d)\\b/g, clock(exact))
      .replace(/\\b\\d+ s ago\\b/g, "just now");
    if (still !== node.data) node.data = still;
  }
}
"""


async def picture(page: Page, name: str) -> None:
    """Writes what is to be seen now to docs/screenshots/`name`.png, if pictures are asked for."""
    if not os.environ.get(ASKED):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(STAND_STILL)
    # What Playwright does about carets and animations is a style in the page, which ours forbid.
    await page.screenshot(path=FOLDER / f"{name}.png", animations="allow", caret="initial")
