// tap.mjs - the least that a TAP producer needs.
let n = 0;
let failed = 0;

/** Returns whether it held. */
export async function test(name, body) {
  n++;
  try {
    await body();
    console.log(`ok ${n} - ${name}`);
    return true;
  } catch (error) {
    failed++;
    console.log(`not ok ${n} - ${name}`);
    for (const line of String(error?.stack ?? error).split("\n").slice(0, 12)) {
      console.log(`# ${line}`);
    }
    return false;
  }
}

export function equal(got, wanted, what = "") {
  if (got !== wanted) {
    throw new Error(`${what} got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
  }
}

export function truth(value, what) {
  if (!value) {
    throw new Error(what);
  }
}

export function done() {
  console.log(`1..${n}`);
  process.exitCode = failed > 0 ? 1 : 0;
}
