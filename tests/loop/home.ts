// A home folder with a made-up kubeconfig: contexts that nobody serves, and one that is broken.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Port 9 (discard) of loopback: a connection there is refused at once. */
const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: staging
clusters:
- name: prod
  cluster: { server: 'https://127.0.0.1:9' }
- name: staging
  cluster: { server: 'https://127.0.0.1:9', insecure-skip-tls-verify: true }
contexts:
- name: prod-eu
  context: { cluster: prod, user: plugin }
- name: staging
  context: { cluster: staging, user: token }
- name: lost
  context: { cluster: nowhere, user: token }
users:
- name: token
  user: { token: made-up }
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: pilothouse-test-plugin
      installHint: apt-get install pilothouse-test-plugin
      interactiveMode: Never
`;

export function prepareHome(home: string): void {
  mkdirSync(home, { mode: 0o700, recursive: true });
  writeFileSync(join(home, 'config'), KUBECONFIG);
}
