// login.tsx - a password, or the one-time link that brought us here.
import { signal } from "@preact/signals";
import { ended, enter, post, reason } from "./link.ts";
import { t } from "./strings.ts";

const problem = signal("");
const busy = signal(false);

async function go(path: string, body: unknown): Promise<void> {
  busy.value = true;
  problem.value = "";
  try {
    const answer = await post(path, body);
    if (answer.ok) {
      enter();
    } else {
      problem.value = await reason(answer);
    }
  } catch {
    problem.value = t("login_offline");
  }
  busy.value = false;
}

/** /enter#TOKEN: what is behind # never left the browser; it is taken out of the history, too. */
export function linkToken(): string {
  const token = location.pathname === "/enter" ? location.hash.slice(1) : "";
  if (location.pathname === "/enter") {
    history.replaceState(null, "", "/");
  }
  return token;
}

export async function enterByLink(token: string): Promise<void> {
  await go("/enter", { token });
}

export function Login() {
  const submit = (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    void go("/login", { user: String(data.get("user")), password: String(data.get("password")) });
  };
  return (
    <main class="login">
      <form class="panel" onSubmit={submit}>
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>{t("login_title")}</h1>
        <label>
          {t("login_user")}
          <input name="user" autocomplete="username" autocapitalize="none" required maxLength={120} autofocus />
        </label>
        <label>
          {t("login_password")}
          <input name="password" type="password" autocomplete="current-password" required maxLength={256} />
        </label>
        <p class="problem" role="alert">{problem.value || (ended.value && t("session_ended"))}</p>
        <button class="primary" disabled={busy.value}>
          {busy.value ? t("entering") : t("login_go")}
        </button>
      </form>
    </main>
  );
}
