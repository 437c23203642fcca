// Brings the floor plan to the state that the server tells. What a door is like is never decided here.
"use strict";

(() => {
  const plan = document.getElementById("plan");

  // The stream's message "plan" holds one element whose data attributes are the plan's.
  document.addEventListener("news", (event) => {
    const marks = event.target.querySelector("[data-marks-of]");
    if (marks) Object.assign(plan.dataset, { ...marks.dataset });
  });
})();
