// drafts.ts - what was typed for a call and is not saved yet. Outlives a reload and a login; gone with the tab, at signing out,
// and once the daemon has it.

export interface Draft {
  note: string;
  code: string;
  when: string;
}

const KEY = "drafts";
/** Wrap-ups that ended by themselves leave theirs behind: the oldest go. */
const KEPT = 8;

function load(): Map<string, Draft> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [string, Draft][]);
  } catch {
    return new Map(); // storage switched off, or not ours
  }
}

const drafts = load();

function store(): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...drafts].slice(-KEPT)));
  } catch {
    // then they last as long as the page
  }
}

export function draft(attempt: string): Draft {
  return drafts.get(attempt) ?? { note: "", code: "", when: "" };
}

export function keepDraft(attempt: string, part: Partial<Draft>): void {
  drafts.set(attempt, { ...draft(attempt), ...part });
  store();
}

export function dropDraft(attempt: string): void {
  drafts.delete(attempt);
  store();
}

export function dropDrafts(): void {
  drafts.clear();
  store();
}
