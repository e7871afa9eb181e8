// Copy buttons beside lines of code, and beside a field that holds a link. Without this, or without a clipboard (plain http), the text is selected by hand.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll(".code__copy")) {
    const text = button.previousElementSibling;
    const { textContent: label, ariaLabel: name } = button;
    let again;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.value ?? text.textContent);
      } catch {
        // Refused: one key press is left to the reader
        if (text.select) text.select();
        else getSelection().selectAllChildren(text);
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
