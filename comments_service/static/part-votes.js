// The votes on one comment: shown at once as the reader wants them, and as they were if the service says no.
import { draw, make } from "./dom.js";

const SHAPES = { up: "M12 4.5l7.5 8.5H15v6.5H9V13H4.5z", down: "M12 19.5l7.5-8.5H15V4.5H9V11H4.5z" };

export class Votes {
  #comment;
  #given;
  #name;
  #said;
  #wish;
  #isSending = false;
  #buttons = {};
  #told = make("span", { class: "votes__told" });

  /** `given`: {service, speech, ballots, receiptFor(id), votes: how readers vote, say(words)}. */
  constructor(comment, given) {
    this.#comment = comment;
    this.#given = given;
    this.#name = comment.author.name || given.speech.say("thread.anonymous");
    this.#said = this.#wish = given.ballots.all().find(({ id }) => id === comment.id)?.vote ?? "none";
    for (const choice of given.votes === "both" ? ["up", "down"] : ["up"]) this.#buttons[choice] = this.#button(choice);
    const label = given.speech.say("thread.votes", { name: this.#name });
    const buttons = Object.values(this.#buttons);
    this.element = make("span", { class: "votes", role: "group", "aria-label": label }, ...buttons, this.#told);
    this.#show();
  }

  #button(choice) {
    const size = { viewBox: "0 0 24 24", width: "18", height: "18" }; // where no sheet of ours says it
    const icon = draw("svg", { ...size, "aria-hidden": "true" }, draw("path", { d: SHAPES[choice] }));
    const button = make("button", { type: "button", class: "vote" }, icon, make("span"));
    button.addEventListener("click", () => this.#choose(choice));
    return button;
  }

  #show() {
    const { speech } = this.#given;
    for (const [choice, button] of Object.entries(this.#buttons)) {
      const count = this.#count(choice);
      button.lastChild.textContent = speech.number(count);
      button.ariaPressed = String(this.#wish === choice);
      button.ariaLabel = speech.say("thread.vote." + choice, { count, name: this.#name });
    }
  }

  /** As the service has it, but for the own vote: that one is as the reader wants it. */
  #count(choice) {
    const others = this.#comment.votes[choice] - Number(this.#said === choice);
    return Math.max(0, others) + Number(this.#wish === choice);
  }

  #choose(choice) {
    this.#wish = this.#wish === choice ? "none" : choice;
    this.#told.textContent = "";
    this.#show();
    this.#send();
  }

  /** One request at a time; what the reader wants by then is what goes next. */
  async #send() {
    if (this.#isSending) return;
    this.#isSending = true;
    const { service, ballots, receiptFor } = this.#given;
    const { id } = this.#comment;
    const receipt = receiptFor(id);
    try {
      while (this.#said !== this.#wish) {
        const fields = { vote: this.#wish, receipt };
        const { votes, vote } = await service.ask("comments/" + id + "/vote", { method: "PUT", fields });
        this.#comment.votes = votes;
        this.#said = vote;
        if (vote === "none") ballots.forget(id);
        else ballots.add({ id, vote, receipt });
      }
    } catch (problem) {
      this.#wish = this.#said;
      this.#tell(problem);
    }
    this.#isSending = false;
    this.#show();
  }

  #tell({ slug }) {
    const { speech, say } = this.#given;
    const key = "error." + slug;
    const words = speech.say(slug !== "network" && speech.has(key) ? key : "error.vote");
    this.#told.textContent = words;
    say(words);
  }
}
