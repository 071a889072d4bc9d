// Meaning of Envoy's response flags (Envoy documentation, "Access log: %RESPONSE_FLAGS%"), in an operator's words.

const MEANINGS: Readonly<Record<string, string>> = {
  DC: 'the caller hung up before the answer',
  DI: 'delay injected by a fault rule',
  FI: 'aborted by a fault rule',
  LH: 'local health check failed',
  LR: 'connection reset here',
  NC: 'no such cluster: the subset or host is unknown',
  NFCF: 'no filter chain matched',
  NR: 'no route matched',
  RL: 'rate limited',
  RLSE: 'rate limit service failed',
  SI: 'stream idle timeout',
  UAEX: 'refused by the authorization service',
  UC: 'upstream closed the connection',
  UF: 'connecting upstream failed',
  UH: 'no healthy endpoint upstream',
  UMSDR: 'stream reached its longest duration',
  UO: 'circuit breaker open: upstream overflow',
  UR: 'upstream reset the stream',
  URX: 'retries or connection attempts used up',
  UT: 'upstream timeout',
  DT: 'duration timeout',
  IH: 'invalid header value refused',
  OM: 'overload manager stopped the request',
  UPE: 'upstream protocol error',
  DPE: 'downstream protocol error',
};

/** `UF,URX` in words; an unknown flag keeps its letters. */
export function flagsMeaning(flags: string): string {
  return flags
    .split(',')
    .map((flag) => flag.trim())
    .filter((flag) => flag !== '' && flag !== '-')
    .map((flag) => MEANINGS[flag] ?? `${flag} (unknown flag)`)
    .join('; ');
}
