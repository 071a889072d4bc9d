// Start-up and memory of the built app on the demo mesh: exec to first paint, to the first card, and the proportional
// set size (PSS) of the process tree. With --chooser in turns with the chooser of 200 contexts in 40 files, and beside it.
// usage: node scripts/startup.mjs [BINARY] [RUNS] [--chooser]   (Linux, Xvfb, WebKitWebDriver)
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const words = process.argv.slice(2).filter((word) => word !== '--chooser');
const withChooser = process.argv.includes('--chooser');
const binary = resolve(words[0] ?? 'target/release/pilothouse');
const runs = Number(words[1] ?? 5);
const TICKS_PER_SECOND = 100;
const SETTLE_MS = 10_000;
const FILES = 40;
const CONTEXTS_OF_A_FILE = 5;

const display = `:${300 + (process.pid % 100)}`;
const xvfb = spawn('Xvfb', [display, '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], { stdio: 'ignore' });
const home = mkdtempSync(join(tmpdir(), 'pilothouse-startup-'));
const env = { ...process.env, DISPLAY: display, TAURI_WEBVIEW_AUTOMATION: 'true', NO_AT_BRIDGE: '1' };
const ownHome = (name) => ({ PILOTHOUSE_HOME: join(home, name), DBUS_SESSION_BUS_ADDRESS: 'disabled:' });

/** What starts, what of it is waited for, and the driver whose children see its environment. */
const DEMO = { name: 'demo', port: 4671, args: ['--demo'], card: 'card-', env: { ...ownHome('demo'), KUBECONFIG: '' } };
const CHOOSER = { name: 'chooser', port: 4672, args: [], card: 'context-', env: ownHome('chooser') };
const kinds = withChooser ? [DEMO, CHOOSER] : [DEMO];
if (withChooser) CHOOSER.env.KUBECONFIG = writeKubeconfigs().join(':');
const drivers = kinds.map((kind) =>
  spawn('WebKitWebDriver', [`--port=${kind.port}`, '--host=127.0.0.1'], {
    env: { ...env, ...kind.env },
    stdio: 'ignore',
  }),
);

/** As installers write them: an authority and a certificate of usual length inline. */
function writeKubeconfigs() {
  const pem = Buffer.from(`-----BEGIN CERTIFICATE-----\n${'A'.repeat(1400)}`).toString('base64');
  mkdirSync(join(home, 'kube'));
  return Array.from({ length: FILES }, (_, file) => {
    const names = Array.from({ length: CONTEXTS_OF_A_FILE }, (_, i) => `team-${file * CONTEXTS_OF_A_FILE + i}`);
    const server = (name) => ({ 'certificate-authority-data': pem, server: `https://${name}.example:6443` });
    const user = { 'client-certificate-data': pem, 'client-key-data': pem };
    const path = join(home, 'kube', `config-${file}`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: names.map((name) => ({ name, cluster: server(name) })),
      contexts: names.map((name) => ({ name, context: { cluster: name, user: name, namespace: 'shop' } })),
      users: names.map((name) => ({ name, user })),
    };
    writeFileSync(path, JSON.stringify(config, null, 1));
    return path;
  });
}

async function call(port, method, path, body) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
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

async function measure(kind) {
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: kind.args } } };
  const { sessionId } = await call(kind.port, 'POST', '/session', { capabilities });
  const run = (script) => call(kind.port, 'POST', `/session/${sessionId}/execute/sync`, { script, args: [] });
  const { pid } = processes().find(({ command }) => command.startsWith(binary));
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const booted = Date.now() - uptime * 1000;
  const started = booted + (Number(stat(pid)[19]) / TICKS_PER_SECOND) * 1000;
  const card = `return document.querySelector('[data-testid^="${kind.card}"]') ? Date.now() : 0`;
  let first = 0;
  while ((first = await run(card)) === 0) await sleep(20);
  const paint = await run(
    `const [p] = performance.getEntriesByName('first-contentful-paint'); return p ? performance.timeOrigin + p.startTime : 0`,
  );
  // The ratio of two starts needs no memory at rest.
  if (!withChooser) await sleep(SETTLE_MS);
  const pids = tree(pid);
  const pss = pids.map(pssKb).reduce((a, b) => a + b) / 1024;
  await call(kind.port, 'DELETE', `/session/${sessionId}`);
  return { paint: paint - started, card: first - started, pss, processes: pids.length };
}

try {
  for (const { port } of kinds) {
    while (!(await fetch(`http://127.0.0.1:${port}/status`).then((r) => r.ok, () => false))) await sleep(50);
  }
  const rows = Object.fromEntries(kinds.map(({ name }) => [name, []]));
  for (let i = 0; i < runs; i += 1) {
    for (const kind of kinds) {
      const row = await measure(kind);
      rows[kind.name].push(row);
      const { paint, card, pss, processes: n } = row;
      console.log(
        `${kind.name}: first paint ${paint.toFixed(0)} ms, first card ${card.toFixed(0)} ms, ${n} processes, PSS ${pss.toFixed(0)} MiB`,
      );
    }
  }
  const median = (kind, key) => rows[kind.name].map((row) => row[key]).sort((a, b) => a - b)[Math.floor(runs / 2)];
  for (const kind of kinds) {
    const [paint, card, pss] = ['paint', 'card', 'pss'].map((key) => median(kind, key).toFixed(0));
    console.log(`medians of ${kind.name}: first paint ${paint} ms, first card ${card} ms, PSS ${pss} MiB`);
  }
  if (withChooser) {
    const [paint, card] = ['paint', 'card'].map((key) => (median(CHOOSER, key) / median(DEMO, key)).toFixed(2));
    console.log(`chooser beside demo: first paint ${paint}, first card ${card}`);
  }
} finally {
  drivers.forEach((driver) => driver.kill());
  xvfb.kill();
  rmSync(home, { recursive: true, force: true });
}
