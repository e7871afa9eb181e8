// Copy buttons beside lines of code. Without this, or without a clipboard (plain http), the text is selected by hand.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll(".code__copy")) {
    const text = button.previousElementSibling;
    const { textContent: label, ariaLabel: name } = button;
    let again;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
      } catch {
        getSelection().selectAllChildren(text); // refused: one key press is left to the reader
        return;
      }
      button.textContent = button.ariaLabel = button.dataset.copied;
      clearTimeout(again);
      again = setTimeout(() => {
        button.textContent = label;
        button.ariaLabel = name;
      }, 2000);
    });
  }
}
