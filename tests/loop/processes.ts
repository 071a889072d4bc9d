// Child processes of the tests: started on loopback, ended with the test, their last words kept for the report.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const artifacts = join(root, "tests/artifacts");

/** A built binary, or one sentence about how to build it. */
export function binary(name: string): string {
  const target = process.env["CARGO_TARGET_DIR"] ?? join(root, "target");
  const path = join(target, "debug", name);
  if (!existsSync(path)) throw new Error(`${path} is not built: cargo build --workspace --bins (make test does)`);
  return path;
}

/** A program of the system, or one sentence about what to install. */
export function program(path: string, debian: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install ${debian} (make test does)`);
  return path;
}

export class Child {
  private words = "";
  private constructor(private readonly process: ChildProcess) {
    const keep = (chunk: Buffer) => (this.words = (this.words + chunk.toString()).slice(-20_000));
    process.stdout?.on("data", keep);
    process.stderr?.on("data", keep);
  }

  static start(path: string, args: string[], environment: Record<string, string> = {}): Child {
    const env = { ...process.env, ...environment };
    return new Child(spawn(path, args, { env, stdio: ["ignore", "pipe", "pipe"], cwd: root }));
  }

  /** What it printed last. */
  get output(): string {
    return this.words;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    const hard = setTimeout(() => this.process.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(hard);
  }
}

/** A port on loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
