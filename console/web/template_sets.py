"""The templates of all features, once for each language.

Decides which templates exist (each feature's folder, named after the feature), that everything is
escaped, and that a `Text` is said in the language of the page wherever it stands.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup
from msgspec import Struct

from console.web import times
from console.web.amounts import amount
from console.web.phrasebooks import Phrasebooks
from console.web.script_words import script_words
from console.web.static_files import StaticFiles
from console.web.user_agent import browser_name
from console.words import Language, Phrasebook, Text

FEATURES = Path(__file__).parent.parent

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)

_KEYS: Mapping[Language, web.AppKey[jinja2.Environment]] = MappingProxyType(
    {
        Language.ENGLISH: aiohttp_jinja2.APP_KEY,
        Language.NORWEGIAN: web.AppKey("templates_nb", jinja2.Environment),
    }
)


class TemplateSets(Struct, frozen=True):
    """One environment for each language: macros and filters need not be told which it is."""

    environments: Mapping[Language, jinja2.Environment]
    phrasebooks: Phrasebooks

    def say(self, language: Language, words: str) -> str:
        """A `Text` in a language, for what is no template."""
        return self.phrasebooks[language].say(words)

    def text(self, language: Language, template: str, context: Mapping[str, object]) -> str:
        """A template, such as `doors/state.html`, in a language."""
        return self.environments[language].get_template(template).render(context)


def set_up_template_sets(
    app: web.Application, files: StaticFiles, phrasebooks: Phrasebooks
) -> TemplateSets:
    """Gives the application its templates: `doors/state.html` is in `console/doors/templates`."""
    loader = jinja2.PrefixLoader(
        {folder.parent.name: _Dense(folder) for folder in sorted(FEATURES.glob("*/templates"))}
    )
    return TemplateSets(
        {
            language: _environment(app, files, loader, phrasebook)
            for language, phrasebook in phrasebooks.items()
        },
        phrasebooks,
    )


class _Dense(jinja2.FileSystemLoader):
    """Leaves the indentation of the templates out: a tenth of a page would be that."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """A template without the blanks at the beginning of its lines."""
        source, path, is_unchanged = super().get_source(environment, template)
        return _INDENTATION.sub("", source), path, is_unchanged


def _environment(
    app: web.Application, files: StaticFiles, loader: jinja2.BaseLoader, phrasebook: Phrasebook
) -> jinja2.Environment:
    def finalize(value: object) -> object:
        return value.said(phrasebook) if isinstance(value, Text) else value

    environment = aiohttp_jinja2.setup(
        app,
        app_key=_KEYS[phrasebook.language],
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        default_helpers=False,
        extensions=["jinja2.ext.i18n"],
        finalize=finalize,
        filters={
            "static": files.address,
            "amount": partial(amount, language=phrasebook.language.value),
            "browser": browser_name,
            "month": times.month,
            **times.filters(phrasebook),
        },
    )
    environment.policies["ext.i18n.trimmed"] = True
    vars(environment)["newstyle_gettext"] = True  # an attribute that the extension has added
    known: dict[str, Any] = {
        "_": _one(phrasebook),
        "gettext": _one(phrasebook),
        "ngettext": _several(phrasebook),
        "language": phrasebook.language,
        "other_languages": [each for each in Language if each is not phrasebook.language],
        "script_words": script_words(phrasebook),
    }
    environment.globals.update(known)
    return environment


def _one(phrasebook: Phrasebook) -> Callable[..., Markup]:
    def gettext(message: str, /, **values: object) -> Markup:
        return _filled(phrasebook, phrasebook.message(message), values)

    return gettext


def _several(phrasebook: Phrasebook) -> Callable[..., Markup]:
    def ngettext(one: str, many: str, n: int, /, **values: object) -> Markup:
        return _filled(phrasebook, phrasebook.plural(one, many, n), {"num": n, **values})

    return ngettext


def _filled(phrasebook: Phrasebook, message: str, values: Mapping[str, object]) -> Markup:
    """A message is part of a template; its values are escaped like any other."""
    return Markup(message) % {  # noqa: S704 a message is ours, and was checked with the catalogue
        name: value.said(phrasebook) if isinstance(value, Text) else value
        for name, value in values.items()
    }
