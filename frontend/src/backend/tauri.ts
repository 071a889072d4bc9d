// Transport of the desktop shell: commands by `invoke`, updates through one channel.
import { Channel, invoke } from '@tauri-apps/api/core';

import type { Backend } from './backend';
import { toCallError } from './backend';
import type { Streams, Update } from './bindings';

const RETRY_MS = 2000;

export function tauriBackend(): Backend {
  return {
    zooms: true,
    async call(command, request) {
      try {
        return await invoke(command, request === null ? {} : { request });
      } catch (thrown) {
        throw toCallError(thrown);
      }
    },
    subscribe(onUpdate, onLost) {
      let ended = false;
      let retry: ReturnType<typeof setTimeout> | undefined;
      const open = (): void => {
        // A channel has no end of its own: an ended subscription only stops listening to it. The shell drops the
        // channel of an earlier page load when the next one subscribes.
        const channel = new Channel<Update>();
        channel.onmessage = (update) => {
          if (!ended) {
            onUpdate(update);
          }
        };
        invoke('subscribe' satisfies keyof Streams, { channel }).catch((thrown: unknown) => {
          if (!ended) {
            onLost(toCallError(thrown).message);
            retry = setTimeout(open, RETRY_MS);
          }
        });
      };
      open();
      return () => {
        ended = true;
        clearTimeout(retry);
      };
    },
  };
}
