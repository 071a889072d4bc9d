import { describe, expect, it } from 'vitest';

import * as format from './format';

describe('format', () => {
  it('never shows an unknown number as zero', () => {
    for (const text of [
      format.rate,
      format.percent,
      format.latency,
      format.count,
      format.age,
      format.share,
      format.bytes,
    ]) {
      expect(text(null)).toBe(format.UNKNOWN);
    }
    expect(format.rateWithUnit(null, 'tcp')).toBe('– B/s');
  });

  it.each([
    [0, '0'],
    [0.004, '<0.01'],
    [0.42, '0.42'],
    [9.96, '10'],
    [640.4, '640'],
    [999.6, '1k'],
    [1900, '1.9k'],
    [12400, '12k'],
    [3.2e6, '3.2M'],
  ])('rate %d', (value, expected) => {
    expect(format.rate(value)).toBe(expected);
  });

  it.each([
    [0, '0 %'],
    [0.00004, '<0.01 %'],
    [0.0004, '0.04 %'],
    [0.013, '1.3 %'],
    [0.5, '50 %'],
    [0.9996, '100 %'],
    [1, '100 %'],
  ])('ratio %d', (ratio, expected) => {
    expect(format.percent(ratio)).toBe(expected);
  });

  it.each([
    [310, '310 ns'],
    [48_000, '48 µs'],
    [900_000, '0.9 ms'],
    [212e6, '212 ms'],
    [999.7e6, '1 s'],
    [1.42e9, '1.42 s'],
    [59.996e9, '1 min'],
    [200e9, '3 min 20 s'],
    [3599.6e9, '1 h'],
    [80_000e9, '22 h 13 min'],
    [76 * 3600e9, '3 d 4 h'],
    [-5e6, '−5 ms'],
  ])('duration %d ns', (ns, expected) => {
    expect(format.duration(ns)).toBe(expected);
  });

  it('bounds the age of what is renewed, never below the truth', () => {
    expect([0, 4.9, 5, 14.9, 94, 130, null].map(format.ageBound)).toEqual([
      'under 5 s',
      'under 5 s',
      'under 15 s',
      'under 15 s',
      'under 95 s',
      '2 min',
      format.age(null),
    ]);
  });

  it('tells ages and countdowns', () => {
    expect([4.4, 130, 9000, 300_000].map(format.age)).toEqual(['4 s', '2 min', '3 h', '3 d']);
    expect([761, 60, 0.2, -4].map(format.countdown)).toEqual(['12:41', '1:00', '0:01', '0:00']);
    expect([60, 90, 900, 3600].map(format.period)).toEqual(['1 min', '90 s', '15 min', '1 h']);
  });

  it('gives the larger side of an interval', () => {
    expect(format.plusMinus(0.246, [0.239, 0.255])).toBe('± 0.9');
    expect(format.plusMinus(null, [0, 1])).toBe('');
  });

  it('signs differences of latency', () => {
    expect(format.latencyDifference(19)).toBe('+19 ms');
    expect(format.latencyDifference(-3)).toBe('−3 ms');
  });

  it('leaves nonsense moments readable', () => {
    expect(format.clock('nonsense')).toBe(format.UNKNOWN);
    expect(format.moment('nonsense')).toBe('nonsense');
  });
});
