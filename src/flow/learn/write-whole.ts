import { rename, writeFile } from 'node:fs/promises';

/** Writes a document for the bot's own user alone; whoever finds it finds the whole of it. */
export async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  await writeFile(`${path}.part`, content, { mode: 0o600 });
  await rename(`${path}.part`, path);
}
