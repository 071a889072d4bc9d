// Child processes of the tests. They end with the test, and with the test's own process however that ends: the kernel
// kills them then (PR_SET_PDEATHSIG), so neither Ctrl-C nor a crash leaves anything over.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './driver';

const root = fileURLToPath(new URL('../..', import.meta.url));

// Whoever ends the runner ends us: else this process would go on, and its children with it, until its test is over.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

/** A folder for what a run leaves to look at, emptied of the run before. */
export function artifacts(name: string): string {
  const folder = join(root, 'tests/artifacts', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A built binary, or one sentence about how to build it. */
export function binary(name: string): string {
  const target = process.env['CARGO_TARGET_DIR'] ?? join(root, 'target');
  const path = join(target, 'debug', name);
  if (!existsSync(path)) {
    throw new Error(`${path} is not built: cargo build --workspace --bins (make test does it)`);
  }
  return path;
}

/** A program of the system, or one sentence about what to install. */
export function program(path: string, debian: string): string {
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: apt-get install ${debian} (make test does it)`);
  }
  return path;
}

/** A command that the kernel kills when the process that starts it is gone. */
export function bound(path: string, args: readonly string[]): [path: string, args: string[]] {
  return [program('/usr/bin/setpriv', 'util-linux'), ['--pdeathsig', 'KILL', path, ...args]];
}

export class Child {
  /** What it printed last, both streams. */
  output = '';
  private readonly child: ChildProcess;

  constructor(path: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, ...environment };
    this.child = spawn(...bound(path, args), { env, stdio: ['ignore', 'pipe', 'pipe'], cwd: root });
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Waits for its end: the exit code, null if a signal ended it. */
  async ended(): Promise<number | null> {
    await until(`the end of ${this.child.spawnargs.slice(3).join(' ')}`, async () => !this.running);
    return this.child.exitCode;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until it printed this. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`${String(pattern)} from ${this.child.spawnargs.at(3) ?? ''}`, async () => {
      const found = pattern.exec(this.output);
      if (found === null && !this.running) {
        throw new Error(`${this.child.spawnargs.slice(3).join(' ')} ended:\n${this.output}`);
      }
      return found;
    });
  }

  async stop(): Promise<void> {
    if (!this.running) {
      return;
    }
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const hard = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(hard);
  }
}

/** A port on loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
