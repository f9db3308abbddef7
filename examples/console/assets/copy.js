// Copies the value of a key when its button is pressed. Everything else on these pages works without a script.
"use strict";
for (const button of document.querySelectorAll("[data-copy]")) {
  const value = document.getElementById(button.dataset.copy);
  const told = document.getElementById("copied");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value.value);
      told.textContent = "Copied to the clipboard";
    } catch {
      value.focus();
      value.select();
      told.textContent = "Selected: press Ctrl+C, or ⌘C";
    }
  });
  // A browser may keep a page it leaves, to go back to it at once; it must not keep the value.
  addEventListener("pagehide", () => { value.value = ""; value.textContent = ""; });
}
