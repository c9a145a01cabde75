// Server-Sent Events read from text that comes in pieces (WHATWG HTML, 9.2.6), comments and bare ids too.

export interface Message {
  /** The last id so far; "" before the first. */
  id: string;
  event: string;
  /** "" where the message is an id alone: a beat. */
  data: string;
}

export class Parser {
  private rest = "";
  private id = "";
  private event = "";
  private data: string[] = [];

  constructor(
    private readonly heard: (message: Message) => void,
    private readonly commented: (words: string) => void,
  ) {}

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop()!;
    for (const line of lines) this.line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  private line(line: string): void {
    if (line === "") {
      this.heard({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
      this.event = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "") this.commented(value);
    else if (name === "id") this.id = value;
    else if (name === "event") this.event = value;
    else if (name === "data") this.data.push(value);
  }
}
