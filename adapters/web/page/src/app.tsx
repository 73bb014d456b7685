// app.tsx - what is shown: login, the agent's desk or the board; above it the state of the line.
import { effect } from "@preact/signals";
import { render } from "preact";
import { Desk } from "./agent.tsx";
import { Board } from "./board.tsx";
import { Sheet, sheet } from "./keys.tsx";
import { connect, link, logout, trouble } from "./link.ts";
import { enterByLink, linkToken, Login } from "./login.tsx";
import { me, mine, myCall, tick } from "./model.ts";
import { named, t } from "./strings.ts";
import { Empty } from "./ui.tsx";
import { Wall, walled } from "./wall.tsx";
import "./style.css";

function Line() {
  const live = link.value === "live";
  return (
    <span class={`line ${live ? "up" : "down"}`} role="status">
      <span class="mark" aria-hidden="true">{live ? "●" : "▲"}</span>
      {live ? t("link_live") : t("link_connecting")}
    </span>
  );
}

function Head() {
  return (
    <header class="head">
      <img src="/icon.svg" alt="" width="26" height="26" />
      <h1>{t("product")}</h1>
      <Line />
      <span class="space" />
      <span class="user">
        {me.value?.name}
        <small>{me.value && named("role", me.value.role)}</small>
      </span>
      {me.value !== null && me.value.role !== "agent" && <a href="#wallboard">{t("wall")}</a>}
      <button class="quiet" onClick={() => { sheet.value = true; }}>{t("sheet_open")}</button>
      <button class="quiet" onClick={() => void logout()}>{t("logout")}</button>
    </header>
  );
}

/** What still works while the daemon is not heard. */
function lostText(): string {
  if (me.value?.role !== "agent") {
    return t("link_lost_board");
  }
  const talks = myCall.value !== undefined;
  return talks ? t("link_lost_call") : mine.value?.needs_disposition ? t("link_lost_wrapup") : t("link_lost");
}

function App() {
  if (link.value === "login") {
    return <Login />;
  }
  if (me.value === null) {
    return <main class="wait"><Empty>{trouble.value || t("link_connecting")}</Empty></main>;
  }
  const wall = walled.value && me.value.role !== "agent";
  return (
    <>
      {!wall && <Head />}
      {link.value === "lost" && <p class="banner" role="alert"><span>{trouble.value || t("link_lost_short")}</span> {lostText()}
      </p>}
      {me.value.role === "agent" ? <Desk /> : wall ? <Wall /> : <Board />}
      <Sheet agent={me.value.role === "agent"} />
    </>
  );
}

effect(() => {
  document.body.classList.toggle("stale", link.value === "lost");
});
setInterval(tick, 1000);
tick();

render(<App />, document.getElementById("app")!);

const token = linkToken();
if (token !== "") {
  void enterByLink(token).then(() => {
    if (link.value === "connecting") {
      void connect(); // the link was no good: perhaps there is a session all the same
    }
  });
} else {
  void connect();
}
