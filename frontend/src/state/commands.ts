// Every action that has a key. The keys, the help and the buttons read this one table.
import type { App, Direction } from './app.svelte';
import type { Screen } from './place.svelte';
import type { WindowZoom } from './windowZoom';

export interface Command {
  readonly id: string;
  readonly group:
    'Screens' | 'Choosing a mesh' | 'Mesh' | 'Graph with focus' | 'Splits' | 'Traces' | 'Everywhere';
  readonly label: string;
  /** As `KeyboardEvent.key`, with `Ctrl+` in front where it is held (Cmd on a Mac). */
  readonly keys: readonly string[];
  enabled(app: App): boolean;
  run(app: App): void;
}

const always = (): boolean => true;
const on =
  (screen: App['front']) =>
  (app: App): boolean =>
    app.front === screen;
/** Nothing else that knows arrows and Enter itself has the focus: a radio, a button. */
const amongCards = (app: App): boolean =>
  app.front === 'connect' && document.activeElement?.matches('[data-card], main, body') !== false;
const isOpen = (app: App): boolean => app.front !== 'connect' && app.feed.session !== null;
const onStage = (app: App): boolean => app.front === 'mesh' && app.stage !== null;
const inGraph = (app: App): boolean => onStage(app) && app.stage?.hasFocus() === true;

function screenCommand(id: Screen, label: string, key: string): Command {
  return {
    id: `screen-${id}`,
    group: 'Screens',
    label,
    keys: [key],
    enabled: always,
    run: (app) => app.go(id),
  };
}

function chooseCommand(key: string, label: string, by: number): Command {
  return {
    id: `choose-${key}`,
    group: 'Choosing a mesh',
    label,
    keys: [key],
    enabled: amongCards,
    run: (app) => app.connect.step(by),
  };
}

function walkCommand(direction: Direction, key: string, label: string): Command {
  return {
    id: `walk-${direction}`,
    group: 'Graph with focus',
    label,
    keys: [key],
    enabled: inGraph,
    run: (app) => app.stage?.walk(direction),
  };
}

function windowCommand(
  id: string,
  label: string,
  keys: readonly string[],
  change: (zoom: WindowZoom) => Promise<void>,
): Command {
  return {
    id: `window-${id}`,
    group: 'Everywhere',
    label,
    keys,
    // A browser has these keys itself.
    enabled: (app) => app.windowZoom.able,
    run: (app) => void change(app.windowZoom),
  };
}

export const COMMANDS: readonly Command[] = [
  screenCommand('mesh', 'Mesh', '1'),
  screenCommand('splits', 'Splits', '2'),
  screenCommand('traces', 'Traces', '3'),
  {
    id: 'connect',
    group: 'Screens',
    label: 'Choose a mesh',
    keys: ['Ctrl+o'],
    enabled: always,
    run: (app) => app.connect.show(),
  },
  chooseCommand('ArrowUp', 'The one above', -1),
  chooseCommand('ArrowDown', 'The one below', 1),
  {
    id: 'choose-on',
    group: 'Choosing a mesh',
    label: 'Check it; once more opens it, read-only',
    keys: ['Enter'],
    enabled: amongCards,
    run: (app) => void app.connect.goOn(),
  },
  {
    id: 'demo',
    group: 'Choosing a mesh',
    label: 'Open the demo mesh',
    keys: ['d'],
    enabled: on('connect'),
    run: (app) => void app.connect.openDemo(),
  },
  {
    id: 'read-again',
    group: 'Choosing a mesh',
    label: 'Read the files again',
    keys: ['r'],
    enabled: on('connect'),
    run: (app) => void app.connect.load(),
  },
  {
    id: 'filter',
    group: 'Everywhere',
    label: 'Filter',
    keys: ['/', 'Ctrl+k'],
    enabled: always,
    run: (app) => {
      const box = app.front === 'connect' ? app.connect.filterBox : app.filterBox;
      box?.focus();
      box?.select();
    },
  },
  {
    id: 'arm',
    group: 'Everywhere',
    label: 'Arm or lock writes',
    keys: ['w'],
    enabled: (app) =>
      isOpen(app) && (app.feed.sessions.length > 1 || !app.feed.armed || app.feed.armedFor !== null),
    run: (app) => void app.session.toggleArmed(),
  },
  {
    id: 'refresh',
    group: 'Everywhere',
    label: 'Refresh now',
    keys: ['r'],
    enabled: isOpen,
    run: (app) => void app.session.refresh(),
  },
  {
    id: 'help',
    group: 'Everywhere',
    label: 'Keys',
    keys: ['?'],
    enabled: always,
    run: (app) => {
      app.place.helpOpen = true;
    },
  },
  {
    id: 'back',
    group: 'Everywhere',
    label: 'Back out one level',
    keys: ['Escape'],
    enabled: always,
    run: (app) => app.back(),
  },
  {
    id: 'copy-link',
    group: 'Everywhere',
    label: 'Copy a link to what is shown',
    keys: ['L'],
    enabled: (app) => app.feed.session !== null,
    run: (app) => void app.links.copy(),
  },
  windowCommand('larger', 'Everything larger', ['Ctrl++', 'Ctrl+='], (zoom) => zoom.larger()),
  windowCommand('smaller', 'Everything smaller', ['Ctrl+-'], (zoom) => zoom.smaller()),
  windowCommand('as-drawn', 'Everything at 100 %', ['Ctrl+0'], (zoom) => zoom.asDrawn()),
  {
    id: 'table',
    group: 'Mesh',
    label: 'Table or graph',
    keys: ['t'],
    enabled: on('mesh'),
    run: (app) => {
      app.place.table = !app.place.table;
    },
  },
  {
    id: 'fit',
    group: 'Mesh',
    label: 'Fit the graph',
    keys: ['f'],
    enabled: onStage,
    run: (app) => app.stage?.fit(),
  },
  {
    id: 'all-namespaces',
    group: 'Mesh',
    label: 'Show all namespaces',
    keys: ['a'],
    enabled: (app) => app.front === 'mesh' && app.place.hiddenBoxes.size > 0,
    run: (app) => app.place.showAllNamespaces(),
  },
  {
    id: 'zoom-namespace',
    group: 'Mesh',
    label: 'Zoom to the namespace of the service in focus',
    keys: ['z'],
    enabled: onStage,
    run: (app) => app.stage?.zoomToNamespace(),
  },
  {
    id: 'zoom-in',
    group: 'Mesh',
    label: 'Zoom in',
    keys: ['+', '='],
    enabled: onStage,
    run: (app) => app.stage?.zoomBy(1.25),
  },
  {
    id: 'zoom-out',
    group: 'Mesh',
    label: 'Zoom out',
    keys: ['-'],
    enabled: onStage,
    run: (app) => app.stage?.zoomBy(0.8),
  },
  {
    id: 'zoom-one',
    group: 'Mesh',
    label: 'Zoom 100 %',
    keys: ['0'],
    enabled: onStage,
    run: (app) => app.stage?.zoomTo(1),
  },
  {
    id: 'traces-failing',
    group: 'Mesh',
    label: 'Failing traces of the selection',
    keys: ['T'],
    enabled: (app) => app.front === 'mesh' && app.place.selection !== null,
    run: (app) => void app.openTraces('failing'),
  },
  walkCommand('left', 'ArrowLeft', 'To a caller'),
  walkCommand('right', 'ArrowRight', 'To a callee'),
  walkCommand('up', 'ArrowUp', 'To the one above'),
  walkCommand('down', 'ArrowDown', 'To the one below'),
  {
    id: 'plan',
    group: 'Splits',
    label: 'Plan the new weights (Enter then goes on)',
    keys: ['s'],
    enabled: (app) =>
      app.front === 'splits' &&
      app.split !== null &&
      app.shift.of(app.split.id).busy === null &&
      app.shift.isDrafted(app.split),
    run: (app) => {
      if (app.split !== null) {
        void app.shift.stage(app.split);
      }
    },
  },
  {
    id: 'undo',
    group: 'Splits',
    label: 'Plan the undo of the last own change (Enter applies)',
    keys: ['u'],
    enabled: (app) => {
      const last = app.shift.lastUndoable;
      return app.front === 'splits' && last !== null && app.shift.of(last.split_id).busy === null;
    },
    run: (app) => void app.planUndo(app.shift.lastUndoable?.entry_id ?? null),
  },
  {
    id: 'span-on-mesh',
    group: 'Traces',
    label: 'Show the span’s call on the mesh',
    keys: ['g'],
    enabled: (app) => app.front === 'traces' && app.traces.span !== null,
    run: (app) => app.showSpanOnMesh(),
  },
];

export function commandById(id: string): Command {
  const found = COMMANDS.find((command) => command.id === id);
  if (found === undefined) {
    throw new Error(`no command ${id}`);
  }
  return found;
}

/** Runs the command of a key press; false if there is none to run. */
export function runKey(app: App, event: KeyboardEvent): boolean {
  const held = event.ctrlKey || event.metaKey;
  if (event.altKey || event.isComposing || (isTyping(event.target) && event.key !== 'Escape' && !held)) {
    return false;
  }
  if (event.key === 'Escape' && isText(event.target)) {
    // Out of the text is one level, too.
    (event.target as HTMLElement).blur();
    return true;
  }
  const name = held ? `Ctrl+${event.key.toLowerCase()}` : event.key;
  const command = COMMANDS.find((candidate) => candidate.keys.includes(name) && candidate.enabled(app));
  command?.run(app);
  return command !== undefined;
}

/** The label of a key for people. */
export function keyLabel(key: string): string {
  const names: Readonly<Record<string, string>> = {
    ArrowLeft: '←',
    ArrowRight: '→',
    ArrowUp: '↑',
    ArrowDown: '↓',
    Escape: 'Esc',
  };
  return key.startsWith('Ctrl+') ? `Ctrl ${key.slice(5).toUpperCase()}` : (names[key] ?? key);
}

function isText(target: EventTarget | null): boolean {
  return isTyping(target) && (target as Partial<HTMLInputElement>).type !== 'number';
}

function isTyping(target: EventTarget | null): boolean {
  const element = target as Partial<HTMLElement> | null;
  const tag = element?.tagName;
  if (tag === 'INPUT') {
    const type = (target as HTMLInputElement).type;
    return type !== 'checkbox' && type !== 'radio' && type !== 'button' && type !== 'range';
  }
  return tag === 'TEXTAREA' || tag === 'SELECT' || element?.isContentEditable === true;
}
