// Somebody else changed it while I looked: what they did and what I was about to save stand side by side, and I choose.
import { act, Problem } from "./api";
import "./conflict.scss";
import { dialog } from "./palette";
import { element, moment } from "./parts";

interface Change {
  reference: string;
  by: string;
  did: string;
  at: string;
}

export interface Saving {
  /** What I am about to save, in words that I know it by: ["Confirm as P5", "55 mm deep", "Measured on site."]. */
  mine: string[];
  /** Load anew what the page shows. What was typed stays in its fields: nothing here empties them. */
  again: () => void | Promise<void>;
  /** Whether something else is being written: nothing is asked then, and the refusal is thrown like any other. */
  busy?: () => boolean;
  method?: string;
  key?: string;
}

/**
 * Save on what was seen: `save("/defects/D-…/assess", {seen, ...}, {mine, again})`. If somebody changed it since, they
 * are asked what to do. Answers what the service said; undefined when they look again first. Throws what `act` throws.
 */
export async function save<T>(path: string, body: object, { mine, again, busy, method, key }: Saving): Promise<T | undefined> {
  let sent = body;
  for (;;) {
    try {
      return await act<T>(path, sent, method, key);
    } catch (problem) {
      if (!changedMeanwhile(problem) || busy?.()) throw problem;
      if ((await choice(problem, mine)) === "again") {
        await again();
        return undefined;
      }
      sent = { ...sent, ...seenAnew(sent, problem) };
    }
  }
}

/** Whether it was refused because somebody else changed it since it was seen. */
export function changedMeanwhile(problem: unknown): problem is Problem {
  return problem instanceof Problem && problem.code === "changed-meanwhile";
}

/** The same on what there is now: the problem has told of all that the act is about. */
function seenAnew(sent: object, problem: Problem): object {
  const known = sent as { seen?: number | Record<string, number>; seen_into?: number };
  const now = problem.more["seen"] as number;
  const { seen } = known;
  const each = typeof seen === "object" ? Object.fromEntries(Object.keys(seen).map((one) => [one, Math.max(seen[one]!, now)])) : now;
  return { seen: each, ...(known.seen_into === undefined ? {} : { seen_into: now }) };
}

/** Ask what to do. Escape and "Close" are "Look again": nothing is saved that was not asked for twice. */
export function choice(problem: Problem, mine: string[]): Promise<"again" | "anyway"> {
  const changes = (problem.more["changes"] ?? []) as Change[];
  return new Promise((decide) => {
    let chosen: "again" | "anyway" = "again";
    const again = element("button", { type: "button", class: "hub-button hub-button--main", autofocus: true }, "Look again");
    const anyway = element("button", { type: "button", class: "hub-button hub-button--alarm" }, "Save anyway");
    const asked = dialog(
      "Changed meanwhile",
      element("p", { class: "hub-conflict__said" }, problem.detail),
      element(
        "div",
        { class: "hub-conflict" },
        side("What was done", changes.map(({ reference, by, did, at }) => `${moment(at)}: ${by} ${did} (${reference})`)),
        side("What you were about to save", mine),
      ),
      element("p", { class: "hub-hint" }, "Nothing of yours is saved yet, and nothing is lost: your words stay where you typed them."),
      element("p", { class: "hub-row" }, again, anyway),
    );
    again.addEventListener("click", () => asked.close());
    anyway.addEventListener("click", () => {
      chosen = "anyway";
      asked.close();
    });
    asked.addEventListener("close", () => decide(chosen));
    again.focus();
  });
}

function side(title: string, lines: string[]): HTMLElement {
  return element("section", {}, element("h3", {}, title), element("ul", {}, ...lines.map((line) => element("li", {}, line))));
}
