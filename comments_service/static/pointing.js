// The comment that the reader was led to: it has the focus, and a bar beside it, until there is another.

export class Pointer {
  #target;

  point(article, scrolling) {
    for (const names of ["classList", "part"]) {
      this.#target?.[names].remove("comment--target");
      article[names].add("comment--target");
    }
    this.#target = article;
    article.focus({ preventScroll: true });
    article.scrollIntoView(scrolling);
  }
}
