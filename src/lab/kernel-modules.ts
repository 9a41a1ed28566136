/** Module file → the files it needs directly or at one remove, all relative to the module directory, as depmod wrote them. */
export type ModuleDependencies = ReadonlyMap<string, readonly string[]>;

/** Reads the text of a `modules.dep` file (modules.dep(5)): `path: path path …`, one module a line. */
export function parseModulesDep(text: string): ModuleDependencies {
  const dependencies = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const needed = line.slice(colon + 1).split(' ');
    dependencies.set(
      line.slice(0, colon),
      needed.filter((path) => path !== ''),
    );
  }
  return dependencies;
}

/**
 * The files that load the wanted modules, each after everything it needs. A wanted name that is not there is left out:
 * it is built into the kernel, or the kernel was made without it.
 */
export function moduleLoadOrder(dependencies: ModuleDependencies, wanted: readonly string[]): string[] {
  const files = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const order = new Set<string>();
  const visiting = new Set<string>();
  const visit = (path: string): void => {
    if (order.has(path) || visiting.has(path)) return;
    visiting.add(path);
    for (const needed of dependencies.get(path) ?? []) visit(needed);
    order.add(path);
  };
  for (const name of wanted) {
    const path = files.get(moduleName(name));
    if (path !== undefined) visit(path);
  }
  return [...order];
}

/** `kernel/drivers/char/hw_random/virtio-rng.ko.xz` → `virtio_rng`: the kernel takes `-` and `_` for the same. */
export function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}
