// A server's address as it is typed, and what is sent of it.
import type { AddressRequest } from '../backend/bindings';

export const SIGN_INS = ['none', 'bearer', 'basic', 'token_file', 'token_command'] as const;
export type SignInWay = (typeof SIGN_INS)[number];

/** One typed address: everything is text until it is sent. */
export interface AddressDraft {
  url: string;
  /** `jaeger`, `tempo`, `zipkin`, `prometheus`; empty = find out. */
  kind: string;
  signIn: SignInWay;
  user: string;
  secret: string;
  tokenFile: string;
  /** A program and its arguments, as one line. */
  tokenCommand: string;
  tenant: string;
  /** One `Name: value` a line. */
  headers: string;
  caFile: string;
  certFile: string;
  keyFile: string;
}

export type AddressField = keyof AddressDraft;
export type AddressProblems = Readonly<Partial<Record<AddressField, string>>>;

export function emptyAddress(): AddressDraft {
  return {
    url: '',
    kind: '',
    signIn: 'none',
    user: '',
    secret: '',
    tokenFile: '',
    tokenCommand: '',
    tenant: '',
    headers: '',
    caFile: '',
    certFile: '',
    keyFile: '',
  };
}

/** What is wrong, by field; the text that was typed is never changed. */
export function addressProblems(draft: AddressDraft, withUrl = true): AddressProblems {
  const problems: Partial<Record<AddressField, string>> = {};
  if (withUrl && !/^https?:\/\/[^/\s]+/.test(draft.url.trim())) {
    problems.url = 'Write it with its scheme: http or https, then the host, and a path if it has one.';
  }
  if ((draft.signIn === 'bearer' || draft.signIn === 'basic') && draft.secret === '') {
    problems.secret = draft.signIn === 'bearer' ? 'Type the token.' : 'Type the password.';
  }
  if (draft.signIn === 'basic' && draft.user.trim() === '') {
    problems.user = 'Type the user.';
  }
  if (draft.signIn === 'token_file' && !draft.tokenFile.trim().startsWith('/')) {
    problems.tokenFile = 'Write the whole path, from the root.';
  }
  if (draft.signIn === 'token_command' && draft.tokenCommand.trim() === '') {
    problems.tokenCommand = 'Name the program that prints the token.';
  }
  if (headersOf(draft.headers) === null) {
    problems.headers = 'One header a line, as Name: value.';
  }
  for (const field of ['caFile', 'certFile', 'keyFile'] as const) {
    const path = draft[field].trim();
    if (path !== '' && !path.startsWith('/')) {
      problems[field] = 'Write the whole path, from the root.';
    }
  }
  return problems;
}

export function addressRequest(draft: AddressDraft): AddressRequest {
  const { signIn } = draft;
  const withSecret = signIn === 'bearer' || signIn === 'basic';
  return {
    url: draft.url.trim(),
    kind: draft.kind,
    sign_in: signIn,
    user: signIn === 'basic' ? draft.user.trim() : '',
    secret: withSecret ? draft.secret : null,
    token_file: signIn === 'token_file' ? draft.tokenFile.trim() : '',
    token_command: signIn === 'token_command' ? wordsOf(draft.tokenCommand) : [],
    tenant: draft.tenant.trim(),
    headers: headersOf(draft.headers) ?? [],
    ca_file: draft.caFile.trim(),
    client_cert_file: draft.certFile.trim(),
    client_key_file: draft.keyFile.trim(),
  };
}

/** Words of a command line; quotes hold one together. No shell reads it, so nothing else means anything. */
export function wordsOf(line: string): string[] {
  const found = line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g);
  return [...found].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
}

function headersOf(text: string): { name: string; value: string }[] | null {
  const headers: { name: string; value: string }[] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      return null;
    }
    headers.push({ name, value });
  }
  return headers;
}

/** Names of namespaces as they are typed: separated by spaces, commas or lines. */
export function namespacesOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];
}

/** What cannot be the name of a namespace. */
export function badNamespaces(names: readonly string[]): string[] {
  return names.filter((name) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
}
