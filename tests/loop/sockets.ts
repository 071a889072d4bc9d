// Which sockets of a process tree listen, as the kernel says.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTENING = '0A';

/** A process and all that descend from it. */
export function tree(pid: number): number[] {
  const parents = new Map(processes().map((one) => [one, parentOf(one)]));
  const found = [pid];
  for (const one of found) {
    found.push(...[...parents].filter(([, parent]) => parent === one).map(([child]) => child));
  }
  return found;
}

/** Ports on which these processes listen, TCP over IPv4 and IPv6. */
export function listening(pids: readonly number[]): number[] {
  const own = new Set(pids.flatMap(socketsOf));
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1),
  );
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTENING && own.has(fields[9] ?? ''))
    .map((fields) => Number.parseInt(fields[1]?.split(':')[1] ?? '', 16));
}

/** The port of WebKit's remote inspector, through which a driver reaches a process; null without one. */
export function inspectorPort(pid: number): number | null {
  const found = /(?:^|\0)WEBKIT_INSPECTOR_SERVER=[^\0]*:(\d+)/.exec(
    readFileSync(`/proc/${pid}/environ`, 'utf8'),
  );
  return found === null ? null : Number(found[1]);
}

/** The name of a process's program. */
export function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Inodes of a process's sockets; none of one that has ended meanwhile. */
function socketsOf(pid: number): string[] {
  const found: string[] = [];
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      found.push(...(inode === undefined ? [] : [inode]));
    }
  } catch {
    // It ended, or closed the descriptor, while we looked.
  }
  return found;
}

function parentOf(pid: number): number {
  try {
    // pid (name) state parent: the name may hold anything, even brackets.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return -1;
  }
}
