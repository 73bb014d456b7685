// model.ts - the page's picture of the daemon: one signal for each record, fed by the link alone.
import { batch, computed, signal, type Signal } from "@preact/signals";
import type {
  Alarm, Call, Campaign, Changes, Dependency, Disposition, Item, Mode, Pbx, Pop, Role, StatusUpdate,
  Welcome,
} from "./protocol.ts";

/** Records by key: a change of one touches its own signal, only coming and going touches `keys`. */
export class Table<K, V> {
  private readonly rows = new Map<K, Signal<V>>();
  readonly keys = signal<readonly K[]>([]);

  put(key: K, value: V): void {
    const row = this.rows.get(key);
    if (row !== undefined) {
      row.value = value;
    } else {
      this.rows.set(key, signal(value));
      this.keys.value = [...this.rows.keys()];
    }
  }

  drop(key: K): void {
    if (this.rows.delete(key)) {
      this.keys.value = [...this.rows.keys()];
    }
  }

  clear(): void {
    if (this.rows.size > 0) {
      this.rows.clear();
      this.keys.value = [];
    }
  }

  row(key: K): Signal<V> | undefined {
    return this.rows.get(key);
  }

  /** The record now; whoever calls this in a component is redrawn when it changes, comes or goes. */
  get(key: K): V | undefined {
    return this.keys.value.length >= 0 ? this.rows.get(key)?.value : undefined;
  }

  all(): V[] {
    return this.keys.value.map((key) => this.rows.get(key)!.value);
  }
}

export const agents = new Table<number, StatusUpdate>();
export const calls = new Table<string, Call>();
export const campaigns = new Table<number, Campaign>();
export const pops = new Table<number, Pop>();
export const pbxs = new Table<number, Pbx>();
export const dispositions = new Table<string, Disposition>();
export const dependencies = new Table<string, Dependency>();
export const modes = new Table<string, Mode>();
export const alarms = new Table<string, Alarm>();

export const me = signal<{ agent: number; role: Role; name: string } | null>(null);
/** The picture is complete: until then emptiness means nothing. */
export const complete = signal(false);
export const mine = computed(() => (me.value ? agents.get(me.value.agent) : undefined));
export const myCall = computed(() =>
  me.value?.role === "agent" ? calls.all()[0] : calls.all().find((c) => c.agent === me.value?.agent),
);
export const myPop = computed(() => (me.value ? pops.get(me.value.agent) : undefined));

const tables: readonly { clear(): void }[] =
  [agents, calls, campaigns, pops, pbxs, dispositions, dependencies, modes, alarms];

export function forget(): void {
  batch(() => {
    tables.forEach((table) => table.clear());
    complete.value = false;
  });
}

export function welcome(w: Welcome): void {
  if (!w.resumed) {
    forget();
  }
  me.value = { agent: w.agent, role: w.role, name: w.name };
}

function apply(item: Item): void {
  const gone = item.gone === true;
  switch (item.type) {
    case "status_update":
      agents.put(item.agent, item);
      break;
    case "call":
      if (!gone) {
        calls.put(item.attempt, item);
      } else if (item.attempt) {
        calls.drop(item.attempt);
      } else {
        calls.clear();
      }
      break;
    case "campaign":
      campaigns.put(item.campaign, item);
      break;
    case "pop":
      if (gone) {
        pops.clear();
      } else {
        pops.put(item.agent, item);
      }
      break;
    case "pbx":
      pbxs.put(item.pbx, item);
      break;
    case "disposition": {
      const key = `${item.campaign}/${item.code}`;
      if (gone) {
        dispositions.drop(key);
      } else {
        dispositions.put(key, item);
      }
      break;
    }
    case "dependency":
      dependencies.put(item.name, item);
      break;
    case "mode":
      modes.put("mode", item);
      break;
    case "alarm": {
      const key = `${item.code}/${item.subject}`;
      if (gone) {
        alarms.drop(key);
      } else {
        alarms.put(key, item);
      }
      break;
    }
  }
}

export function change(c: Changes): void {
  batch(() => {
    c.items.forEach(apply);
    if (!c.more) {
      complete.value = true;
    }
  });
}

// --- the daemon's clock ------------------------------------------------------------------------

let offset = 0;
let known = false;

/** Every message brings the daemon's time; the one that travelled fastest is the best. */
export function hearTime(time: number): void {
  const sample = time - performance.now();
  if (!known || Math.abs(sample - offset) > 1000 || sample > offset) {
    offset = sample;
    known = true;
  }
}

/** The daemon's time in milliseconds UTC, renewed each second. */
export const now = signal(Date.now());

export function tick(): void {
  now.value = known ? performance.now() + offset : Date.now();
}
