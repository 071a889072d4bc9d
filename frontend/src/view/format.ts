// The only place that turns numbers, moments and durations into text. Unknown is a dash, never a zero.

export const UNKNOWN = '–';

/** Requests per second without their unit: `640`, `1.9k`, `0.4`. */
export function rate(value: number | null): string {
  return value === null ? UNKNOWN : short(value);
}

/** Rate with its unit, which depends on the protocol: tcp counts bytes. */
export function rateWithUnit(value: number | null, protocol = 'http'): string {
  if (value === null) {
    return `${UNKNOWN} ${protocol === 'tcp' ? 'B/s' : 'rps'}`;
  }
  return protocol === 'tcp' ? `${bytes(value)}/s` : `${short(value)} rps`;
}

export function bytes(value: number | null): string {
  if (value === null) {
    return UNKNOWN;
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${digits(scaled)} ${units[unit] ?? ''}`;
}

/** A ratio in 0..=1 as percent: `1.3 %`, `0.04 %`, `100 %`. */
export function percent(ratio: number | null): string {
  return ratio === null ? UNKNOWN : `${percentNumber(ratio)} %`;
}

export function percentNumber(ratio: number): string {
  const value = ratio * 100;
  if (value !== 0 && Math.abs(value) < 0.01) {
    return '<0.01';
  }
  const decimals = Math.abs(value) < 0.1 ? 2 : Math.abs(value) < 99.95 ? 1 : 0;
  return trimZeros(value.toFixed(decimals));
}

/** Percent with a fixed decimal, for columns of shares: `10.3 %`. */
export function share(ratio: number | null): string {
  return ratio === null ? UNKNOWN : `${(ratio * 100).toFixed(1)} %`;
}

/** Half the width of an interval of shares: `± 0.5`; the shares need not be symmetric, so it is the larger side. */
export function plusMinus(center: number | null, interval: readonly [number, number] | null): string {
  if (center === null || interval === null) {
    return '';
  }
  const half = Math.max(center - interval[0], interval[1] - center) * 100;
  return `± ${half < 0.05 ? '<0.1' : half.toFixed(1)}`;
}

/** Milliseconds as latency: `0 ms`, `0.9 ms`, `212 ms`, `1.42 s`. */
export function latency(ms: number | null): string {
  if (ms === null) {
    return UNKNOWN;
  }
  return ms === 0 ? '0 ms' : duration(ms * 1e6);
}

/** A signed difference of milliseconds: `+19 ms`. */
export function latencyDifference(ms: number | null): string {
  if (ms === null) {
    return UNKNOWN;
  }
  return `${ms < 0 ? '−' : '+'}${duration(Math.abs(ms) * 1e6)}`;
}

/** Nanoseconds: `310 ns`, `48 µs`, `0.9 ms`, `212 ms`, `1.42 s`, `3 min 20 s`, `22 h 13 min`, `3 d 4 h`. */
export function duration(ns: number): string {
  if (ns < 0) {
    return `−${duration(-ns)}`;
  }
  if (ns < 1000) {
    return `${Math.round(ns)} ns`;
  }
  if (ns < 1e5) {
    return `${digits(ns / 1000)} µs`;
  }
  if (ns < 999.5e6) {
    return `${digits(ns / 1e6)} ms`;
  }
  if (ns < 59.995e9) {
    return `${trimZeros((ns / 1e9).toFixed(2))} s`;
  }
  const seconds = Math.round(ns / 1e9);
  if (seconds < 3600) {
    return twoUnits(seconds, 60, 'min', 's');
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 48 * 60
    ? twoUnits(minutes, 60, 'h', 'min')
    : twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

/** `3 min 20 s` of 200, 60; `3 min` of 180. */
function twoUnits(small: number, per: number, large: string, rest: string): string {
  const whole = `${Math.floor(small / per)} ${large}`;
  return small % per === 0 ? whole : `${whole} ${small % per} ${rest}`;
}

/** How long ago, in whole units: `4 s`, `2 min`, `3 h`, `5 d`. */
export function age(seconds: number | null): string {
  if (seconds === null) {
    return UNKNOWN;
  }
  const s = Math.max(0, seconds);
  if (s < 99.5) {
    return `${Math.round(s)} s`;
  }
  if (s < 99.5 * 60) {
    return `${Math.round(s / 60)} min`;
  }
  return s < 48 * 3600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

/**
 * The age of something that is renewed all the time, as a bound: `under 5 s`, `under 15 s`. Each text that changes has the
 * window painted anew, so this one changes every ten seconds, and never at the moment when the next answer is due.
 */
export function ageBound(seconds: number | null): string {
  if (seconds === null || seconds >= 95) {
    return age(seconds);
  }
  return `under ${Math.floor((Math.max(0, seconds) + 5) / 10) * 10 + 5} s`;
}

/** A window or a period as people name it: `1 min`, `15 min`, `1 h`, `90 s`. */
export function period(seconds: number): string {
  if (seconds >= 86400 && seconds % 86400 === 0) {
    return `${seconds / 86400} d`;
  }
  if (seconds >= 3600 && seconds % 3600 === 0) {
    return `${seconds / 3600} h`;
  }
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Minutes and seconds of a countdown: `12:41`. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A count with thin groups: `14 720`. */
export function count(value: number | null): string {
  return value === null
    ? UNKNOWN
    : Math.round(value)
        .toString()
        .replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** `1 service`, `6 services`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Wall time of a moment (RFC 3339 or ms since the epoch) in the reader's zone: `14:02:11`. */
export function clock(moment: string | number): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) {
    return UNKNOWN;
  }
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `2 Mar 2027` is read the same everywhere, `3/2/2027` is not. */
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** The day of a moment, where its time does not matter, in the reader's zone. */
export function day(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : DAY.format(date);
}

/** Date and time for a tooltip, in the reader's zone. */
export function moment(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : `${DAY.format(date)} ${clock(text)}`;
}

/** Three digits or so: `4.1k`, `640`, `8.2`, `0.04`. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.5e6) {
    return `${digits(value / 1e9)}G`;
  }
  if (size >= 999.5e3) {
    return `${digits(value / 1e6)}M`;
  }
  return size >= 999.5 ? `${digits(value / 1e3)}k` : digits(value);
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.01) {
    return value < 0 ? '>−0.01' : '<0.01';
  }
  const decimals = size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2;
  return trimZeros(value.toFixed(decimals));
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
