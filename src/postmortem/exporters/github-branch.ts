import { createHash } from 'node:crypto';
import { z } from 'zod';
import { encodedParts } from '../../mitigation/targets/github-connection.ts';
import { type Operation, unless404 } from '../../mitigation/targets/vendor-request.ts';
import { folderOf } from './export-path.ts';

const ref = z.object({ object: z.object({ sha: z.string() }) });
const commit = z.object({ tree: z.object({ sha: z.string() }) });
const made = z.object({ sha: z.string() });
const listing = z.array(z.object({ path: z.string(), sha: z.string() }));
/** Of a path that is a file, where a folder was asked for. */
const noFolder = z.object({ sha: z.string() }).transform(() => []);
const commits = z.array(z.object({ commit: z.object({ message: z.string() }) }));

/** Newest commits of a file that are looked through for one of ours. */
const LOOKED_AT = '20';

/** A repository, one operation on it, and how our own commits to it are known. */
export interface GithubAt {
  readonly operation: Operation;
  /** "/repos/OWNER/NAME" */
  readonly root: string;
  /** A line that stands in the message of each of our commits. */
  readonly trailer: string;
}

/** What should stand at a path; null: nothing. */
export interface WantedFile {
  readonly path: string;
  readonly read: (() => Promise<Buffer>) | null;
}

/** The commit at the head of a branch; undefined where there is no such branch. */
export async function headOf({ operation, root }: GithubAt, branch: string): Promise<string | undefined> {
  const found = await unless404(operation.get(`${root}/git/ref/heads/${encodedParts(branch)}`, ref));
  return found?.object.sha;
}

/** Of these files, those that stand otherwise at that commit. A folder tells the ids of its files, whatever their size. */
export async function differing(
  { operation, root }: GithubAt,
  at: string,
  files: readonly WantedFile[],
): Promise<WantedFile[]> {
  const stands = new Map<string, string>();
  for (const folder of new Set(files.map(({ path }) => folderOf(path).replace(/\/$/, '')))) {
    const path = `${root}/contents${folder === '' ? '' : `/${encodedParts(folder)}`}`;
    const found = await unless404(operation.get(path, listing.or(noFolder), { ref: at }));
    for (const one of found ?? []) stands.set(one.path, one.sha);
  }
  const differ: WantedFile[] = [];
  for (const file of files) {
    const wanted = file.read === null ? undefined : gitBlobId(await file.read());
    if (stands.get(file.path) !== wanted) differ.push(file);
  }
  return differ;
}

/** The first of these files that somebody else changed on the branch after us. */
export async function changedByOthers(
  { operation, root, trailer }: GithubAt,
  at: string,
  files: readonly WantedFile[],
): Promise<string | undefined> {
  for (const { path } of files) {
    const query = { sha: at, path, per_page: LOOKED_AT };
    const found = await operation.get(`${root}/commits`, commits, query);
    const newestOfOurs = found.findIndex((one) => one.commit.message.includes(trailer));
    if (newestOfOurs > 0) return path;
  }
  return undefined;
}

/** One commit on top of `parent` with those files, on no branch yet; undefined where it would change nothing. */
export async function makeCommit(
  at: GithubAt,
  { parent, files, message }: { parent: string; files: readonly WantedFile[]; message: string },
): Promise<string | undefined> {
  const { operation, root } = at;
  const { tree: base } = await operation.get(`${root}/git/commits/${parent}`, commit);
  const tree = [];
  for (const { path, read } of files) {
    const sha = read === null ? null : await makeBlob(at, await read());
    tree.push({ path, mode: '100644', type: 'blob', sha });
  }
  const post = (what: string, body: object) =>
    operation.sendFor({ method: 'POST', path: `${root}/git/${what}`, body }, made);
  const { sha } = await post('trees', { base_tree: base.sha, tree });
  if (sha === base.sha) return undefined;
  const told = { message: `${message}\n\n${at.trailer}`, tree: sha, parents: [parent] };
  return (await post('commits', told)).sha;
}

async function makeBlob({ operation, root }: GithubAt, bytes: Buffer): Promise<string> {
  const body = { content: bytes.toString('base64'), encoding: 'base64' };
  return (await operation.sendFor({ method: 'POST', path: `${root}/git/blobs`, body }, made)).sha;
}

/** Makes the branch at that commit, or moves it there; never by force. */
export async function setBranch(
  { operation, root }: GithubAt,
  { branch, to, isNew }: { branch: string; to: string; isNew: boolean },
): Promise<void> {
  if (isNew) {
    const body = { ref: `refs/heads/${branch}`, sha: to };
    await operation.send({ method: 'POST', path: `${root}/git/refs`, body });
    return;
  }
  const path = `${root}/git/refs/heads/${encodedParts(branch)}`;
  await operation.send({ method: 'PATCH', path, body: { sha: to, force: false } });
}

/** The id that git gives to a file's bytes. */
function gitBlobId(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
