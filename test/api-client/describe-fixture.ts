/** A handler as MAAS describes one; `actions`: "name METHOD", or "name METHOD op". */
export function handler(name: string, path: string, actions: readonly string[], more: object = {}): object {
  return {
    name,
    doc: `What ${name} is for.`,
    path,
    uri: `http://maas.example${path}`,
    params: Array.from(path.matchAll(/\{(\w+)\}/g), ([, param = '']) => param),
    actions: actions.map((line) => {
      const [action = '', method = '', op] = line.split(' ');
      return { name: action, method, op: op ?? null, restful: op === undefined, doc: `Do ${action}.` };
    }),
    ...more,
  };
}

/** As `describe/` has it, of handlers that need a key. */
export function description(...handlers: readonly object[]): Record<string, unknown> {
  const resources = handlers.map((auth) => ({ name: Reflect.get(auth, 'name') as string, anon: null, auth }));
  return { doc: 'MAAS API', hash: 'abc123', handlers, resources };
}

/** What the document of 2015 uses, as MAAS 1.7 described it. */
export const API_1_0 = description(
  handler('BootSourcesHandler', '/MAAS/api/1.0/boot-sources/', ['read GET', 'create POST']),
  handler('BootSourceHandler', '/MAAS/api/1.0/boot-sources/{id}/', ['read GET', 'update PUT', 'delete DELETE']),
  handler('BootSourceSelectionsHandler', '/MAAS/api/1.0/boot-sources/{boot_source_id}/selections/', [
    'read GET',
    'create POST',
  ]),
  handler('BootResourcesHandler', '/MAAS/api/1.0/boot-resources/', ['read GET', 'import POST import']),
  handler('NetworksHandler', '/MAAS/api/1.0/networks/', ['read GET']),
  handler('NodeGroupsHandler', '/MAAS/api/1.0/nodegroups/', ['list GET list']),
  handler('NodeGroupInterfaceHandler', '/MAAS/api/1.0/nodegroups/{uuid}/interfaces/{name}/', [
    'read GET',
    'update PUT',
  ]),
);

/** Some of what MAAS 2 has that is unlike 1. */
export const API_2_0 = description(
  handler('IPRangesHandler', '/MAAS/api/2.0/ipranges/', ['read GET', 'create POST']),
  handler('MaasHandler', '/MAAS/api/2.0/maas/', ['get_config GET get_config', 'set_config POST set_config']),
  handler('UsersHandler', '/MAAS/api/2.0/users/', ['read GET', 'whoami GET whoami']),
  handler('RackControllerHandler', '/MAAS/api/2.0/rackcontrollers/{system_id}/', ['read GET', 'delete DELETE']),
);
