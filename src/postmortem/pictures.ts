import type { Paragraph, PhrasingContent } from 'mdast';
import { linked, outside, paragraph, words } from './prose.ts';

/** A file that somebody shared in the room. */
export interface SharedFile {
  /** Slack's. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly permalink?: string | undefined;
  /** Where a copy of it is, relative to the document. */
  readonly kept?: { readonly path: string; readonly isPicture: boolean } | undefined;
  /** Why there is none, for a sentence in brackets. */
  readonly notKept?: string | undefined;
}

/** A picture beside the document, with what it shows in a sentence. */
export interface Chart {
  readonly path: string;
  readonly alt: string;
}

/** The files of a message by name, each with a link to its copy, or to Slack and the reason why there is none. */
export function fileNames(files: readonly SharedFile[]): PhrasingContent[] {
  const nodes: PhrasingContent[] = [];
  for (const { name, kept, permalink, notKept } of files) {
    const separator = nodes.length === 0 ? (files.length === 1 ? 'File: ' : 'Files: ') : ', ';
    const label = name || 'unnamed file';
    nodes.push({ type: 'text', value: separator });
    if (kept === undefined) nodes.push(linked(label, permalink));
    else nodes.push({ type: 'link', url: kept.path, children: [outside(label)] });
    if (notKept !== undefined) nodes.push(...words` (no copy: ${notKept})`);
  }
  return nodes;
}

/** The kept pictures among them, each as a paragraph. */
export function filePictures(files: readonly SharedFile[]): Paragraph[] {
  return files.flatMap(({ name, kept }) =>
    kept?.isPicture === true ? [picture({ path: kept.path, alt: name || 'unnamed file' })] : [],
  );
}

export function picture({ path, alt }: Chart): Paragraph {
  return paragraph([{ type: 'image', url: path, alt: outside(alt).value }]);
}
