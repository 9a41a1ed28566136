/*
 * A machine that netboots without end, as iPXE would: asks for its script, fetches the kernel and the initrd that it names, and
 * looks whether both are of one version. `node image-boots.ts RACK MAC`. Ends at SIGTERM with a line of what it saw.
 */
const [rack = '', mac = ''] = process.argv.slice(2);
const versions = new Map<string, number>();
const faults: string[] = [];
const over = new AbortController();
process.on('SIGTERM', () => over.abort());

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

/** The version is the first word of each file, and the file is as long as its last word says. */
function versionIn(text: string): string {
  const [version = '', length = ''] = text.slice(0, 64).split(' ');
  return text.length === Number(length) ? version : `cut at ${text.length}`;
}

console.log('ready');
while (!over.signal.aborted) {
  try {
    const script = await textOf(`${rack}/ipxe/${mac}`);
    const urls = Array.from(script.matchAll(/^(?:kernel|initrd --name \S+) (\S+)/gm), ([, url = '']) => url);
    const found = [];
    for (const url of urls) {
      // A firmware takes its time between one file and the next
      await new Promise((resolve) => setTimeout(resolve, 20));
      found.push(versionIn(await textOf(url)));
    }
    const [kernel = 'none', initrd = 'none'] = found;
    if (kernel === initrd) versions.set(kernel, (versions.get(kernel) ?? 0) + 1);
    else faults.push(`kernel ${kernel}, initrd ${initrd}`);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
}
console.log(JSON.stringify({ versions: Object.fromEntries(versions), faults }));
