/**
 * Sets style properties through the CSSOM. The content security policy forbids style attributes, so components use this
 * for everything that is computed: `use:css={{ width: '40%', '--at': '12px' }}`.
 */
export function css(
  node: HTMLElement | SVGElement,
  properties: Readonly<Record<string, string>>,
): { update(next: Readonly<Record<string, string>>): void } {
  let set: Readonly<Record<string, string>> = {};
  const update = (next: Readonly<Record<string, string>>): void => {
    for (const name of Object.keys(set)) {
      if (!(name in next)) {
        node.style.removeProperty(name);
      }
    }
    for (const [name, value] of Object.entries(next)) {
      if (set[name] !== value) {
        node.style.setProperty(name, value);
      }
    }
    set = next;
  };
  update(properties);
  return { update };
}
