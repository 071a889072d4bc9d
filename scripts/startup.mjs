// Start-up and memory of the built app on the demo mesh: exec to first paint, to the first card, and the proportional
// set size (PSS) of the process tree. usage: node scripts/startup.mjs [BINARY] [RUNS]   (Linux, Xvfb, WebKitWebDriver)
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const binary = resolve(process.argv[2] ?? 'target/release/pilothouse');
const runs = Number(process.argv[3] ?? 5);
const TICKS_PER_SECOND = 100;
const SETTLE_MS = 10_000;

const ports = { driver: 4671 };
const display = `:${300 + (process.pid % 100)}`;
const xvfb = spawn('Xvfb', [display, '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], { stdio: 'ignore' });
const env = { ...process.env, DISPLAY: display, TAURI_WEBVIEW_AUTOMATION: 'true', NO_AT_BRIDGE: '1' };
const driver = spawn('WebKitWebDriver', [`--port=${ports.driver}`, '--host=127.0.0.1'], { env, stdio: 'ignore' });

async function call(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${ports.driver}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value.message}`);
  return value;
}

const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid, parent: stat(pid)[1], command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
      } catch {
        return []; // it ended meanwhile
      }
    });
}

function tree(root) {
  const all = processes();
  const found = [root];
  for (let i = 0; i < found.length; i += 1) {
    found.push(...all.filter(({ parent }) => parent === found[i]).map(({ pid }) => pid));
  }
  return found;
}

const pssKb = (pid) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);

async function measure() {
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ["--demo"] } } };
  const { sessionId } = await call('POST', '/session', { capabilities });
  const run = (script) => call('POST', `/session/${sessionId}/execute/sync`, { script, args: [] });
  const { pid } = processes().find(({ command }) => command.startsWith(binary));
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const booted = Date.now() - uptime * 1000;
  const started = booted + (Number(stat(pid)[19]) / TICKS_PER_SECOND) * 1000;
  const card = `return document.querySelector('[data-testid^="card-"]') ? Date.now() : 0`;
  let first = 0;
  while ((first = await run(card)) === 0) await sleep(20);
  const paint = await run(
    `const [p] = performance.getEntriesByName('first-contentful-paint'); return p ? performance.timeOrigin + p.startTime : 0`,
  );
  await sleep(SETTLE_MS);
  const pids = tree(pid);
  const pss = pids.map(pssKb).reduce((a, b) => a + b) / 1024;
  await call('DELETE', `/session/${sessionId}`);
  return { paint: paint - started, card: first - started, pss, processes: pids.length };
}

try {
  while (!(await fetch(`http://127.0.0.1:${ports.driver}/status`).then((r) => r.ok, () => false))) await sleep(50);
  const rows = [];
  for (let i = 0; i < runs; i += 1) {
    rows.push(await measure());
    const { paint, card, pss, processes: n } = rows.at(-1);
    console.log(`first paint ${paint.toFixed(0)} ms, first card ${card.toFixed(0)} ms, ${n} processes, PSS ${pss.toFixed(0)} MiB`);
  }
  const median = (key) => rows.map((row) => row[key]).sort((a, b) => a - b)[Math.floor(rows.length / 2)];
  console.log(`medians: first paint ${median('paint').toFixed(0)} ms, first card ${median('card').toFixed(0)} ms, PSS ${median('pss').toFixed(0)} MiB`);
} finally {
  driver.kill();
  xvfb.kill();
}
