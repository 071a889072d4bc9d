// What an idle window costs with three clusters open, beside the same window with one: CPU of the whole process tree as a
// share of one core, and its proportional set size (PSS). usage: node scripts/idle.mjs [BINARY] [SECONDS]
// (Linux, Xvfb; the test bed's servers in the cache.)
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const binary = resolve(process.argv[2] ?? 'target/release/pilothouse');
const seconds = Number(process.argv[3] ?? 60);
const TICKS_PER_SECOND = 100;
const SETTLE_MS = 20_000;

const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');

function tree(root) {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [[pid, stat(pid)[1]]];
      } catch {
        return []; // it ended meanwhile
      }
    });
  const found = [String(root)];
  for (let i = 0; i < found.length; i += 1) {
    found.push(...parents.filter(([, parent]) => parent === found[i]).map(([pid]) => pid));
  }
  return found;
}

const cpuTicks = (pids) => pids.reduce((sum, pid) => sum + Number(stat(pid)[11]) + Number(stat(pid)[12]), 0);
const pssMiB = (pids) =>
  pids.reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]), 0) / 1024;

async function measure(bed, contexts, display) {
  const home = mkdtempSync(join(tmpdir(), 'pilothouse-idle-'));
  mkdirSync(join(home, 'config'));
  writeFileSync(join(home, 'config/settings.toml'), bed.settings);
  const env = {
    ...process.env,
    DISPLAY: display,
    NO_AT_BRIDGE: '1',
    PILOTHOUSE_HOME: home,
    KUBECONFIG: bed.kubeconfigs.join(':'),
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
  };
  const window = spawn(binary, contexts.flatMap((name) => ['--context', name]), { env, stdio: 'ignore' });
  await sleep(SETTLE_MS);
  const pids = tree(window.pid);
  const before = cpuTicks(pids);
  await sleep(seconds * 1000);
  const used = (cpuTicks(pids) - before) / TICKS_PER_SECOND / seconds;
  const pss = pssMiB(pids);
  window.kill();
  rmSync(home, { recursive: true, force: true });
  return { cpu: used * 100, pss };
}

const display = `:${400 + (process.pid % 100)}`;
const xvfb = spawn('Xvfb', [display, '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], { stdio: 'ignore' });
const bedProcess = spawn('cargo', ['run', '-q', '-p', 'pilothouse-bed', '--example', 'clusters'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  let text = '';
  for await (const chunk of bedProcess.stdout) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  const bed = JSON.parse(text.split('\n')[0]);
  const one = await measure(bed, ['east'], display);
  const three = await measure(bed, ['east', 'west', 'north'], display);
  for (const [name, { cpu, pss }] of Object.entries({ 'one cluster': one, 'three clusters': three })) {
    console.log(`${name}: CPU ${cpu.toFixed(1)} % of one core, PSS ${pss.toFixed(0)} MiB`);
  }
  console.log(`three beside one: PSS ${(three.pss / one.pss).toFixed(2)}, CPU ${(three.cpu / one.cpu).toFixed(2)}`);
} finally {
  bedProcess.stdin.end();
  xvfb.kill();
}
