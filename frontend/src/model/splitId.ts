// Ids of splits: `CONTEXT/KIND/NAMESPACE/NAME/SECTION/ROUTE`, with `/` and `%` of the context escaped. Without a context, the
// first open one is meant.

const PARTS_WITH_CONTEXT = 6;

/** The context that a split's id names; null for the first that is open. */
export function contextOf(splitId: string): string | null {
  const parts = splitId.split('/');
  const [context] = parts;
  return parts.length < PARTS_WITH_CONTEXT || context === undefined
    ? null
    : context.replaceAll('%2F', '/').replaceAll('%25', '%');
}

/** Namespace and name of the object that a split's id names. */
export function objectOf(splitId: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = splitId.split('/').slice(-4, -2);
  return { namespace, name };
}
