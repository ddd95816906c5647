// What every driver on Node does; steps.py says how an order and its answers look. The folder whose node_modules hold the
// clients is the first argument.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

export const need = createRequire(process.argv[2] + "/");
export const order = JSON.parse(await text(process.stdin));

export function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

const TRIES_MAX = 8;

async function patiently(step, caller) {
  for (let tries = 1; ; tries++) {
    const result = await caller(step.name, step.arguments);
    const said = result.content.filter((item) => item.type === "text").map((item) => item.text).join("\n");
    const told = step.patient && result.isError && said.includes("approval is pending");
    if (!told || tries === TRIES_MAX) return { tries, text: said, error: Boolean(result.isError) };
  }
}

export async function take(lister, caller) {
  for (const step of order.steps) {
    const begun = performance.now();
    let line = { tries: 0 };
    try {
      line = step.do === "list" ? { tries: 0, tools: await lister() } : await patiently(step, caller);
    } catch (error) {
      line.raised = `${error.name}: ${error.message}`;
    }
    say({ ...line, s: Math.round((performance.now() - begun) / 100) / 10 });
  }
}
