// dial.tsx - a number by hand: typed or by keypad.
import { signal } from "@preact/signals";
import { t } from "./strings.ts";
import { Act, Panel } from "./ui.tsx";

const PAD = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "+", "0"] as const;

const typed = signal("");
const problem = signal("");

interface Props {
  /** Why not now, "" it can be done. */
  why: string;
  dial: (number: string) => Promise<boolean>;
}

export function Dial({ why, dial }: Props) {
  const submit = async (event: Event) => {
    event.preventDefault();
    const number = typed.value.replace(/[\s().\-/]/g, "");
    if (why !== "" || number === "") {
      return;
    }
    problem.value = /^\+?\d{6,15}$/.test(number) ? "" : t("dial_bad");
    if (problem.value === "" && await dial(number)) {
      typed.value = "";
    }
  };
  const set = (number: string) => {
    typed.value = number;
    problem.value = "";
  };
  return (
    <Panel title={t("dial_title")} class="dial">
      <form onSubmit={(event) => void submit(event)}>
        <input name="number" type="tel" inputMode="tel" maxLength={32} autocomplete="off" dir="ltr" data-key="d"
          aria-label={t("dial_number")} aria-describedby="dial-problem" aria-invalid={problem.value !== ""}
          value={typed.value} onInput={(event) => set(event.currentTarget.value)} />
        <p class="trouble" id="dial-problem" role="alert">{problem}</p>
        <div class="pad" role="group" aria-label={t("dial_pad")} dir="ltr">
          {PAD.map((digit) => (
            <Act key={digit} act={() => set((typed.value + digit).slice(0, 32))}>{digit}</Act>
          ))}
          <button type="button" aria-label={t("dial_back")} onClick={() => set(typed.value.slice(0, -1))}>
            <span aria-hidden="true">⌫</span>
          </button>
        </div>
        <button class="primary" aria-disabled={why !== "" || undefined} title={why || undefined}>
          {t("dial_go")}
        </button>
        {why !== "" && <small>{why}</small>}
      </form>
    </Panel>
  );
}
