// Chooses the transport: inside the desktop shell its own, in a browser HTTP.
import { isTauri } from '@tauri-apps/api/core';

import type { Backend } from './backend';
import { httpBackend, tokenFrom } from './http';
import { tauriBackend } from './tauri';

export function connect(): Backend {
  return isTauri() ? tauriBackend() : httpBackend(tokenFrom(window.location.hash));
}
