/** What a kept file is, by its first bytes and not by what it is called. */
export interface FileKind {
  /** With which its name ends. */
  readonly extension: 'png' | 'jpg' | 'gif' | 'webp' | 'pdf' | 'txt';
  readonly isPicture: boolean;
}

const SIGNATURES: readonly (FileKind & { readonly begins: RegExp })[] = [
  { extension: 'png', isPicture: true, begins: /^\x89PNG\r\n\x1a\n/ },
  { extension: 'jpg', isPicture: true, begins: /^\xff\xd8\xff/ },
  { extension: 'gif', isPicture: true, begins: /^GIF8[79]a/ },
  { extension: 'webp', isPicture: true, begins: /^RIFF[\s\S]{4}WEBP/ },
  { extension: 'pdf', isPicture: false, begins: /^%PDF-\d/ },
];
const LONGEST_SIGNATURE = 16;
/** A page that stands in for a file, or one that a browser would run. */
const PAGE = /^\s*(?:<!--[\s\S]{0,500}?-->\s*)?<(?:!doctype html|html|\?xml|svg|script)\b/i;

/** Null for what is not kept: anything but pictures, PDF and plain text. */
export function fileKind(bytes: Buffer): FileKind | null {
  const head = bytes.subarray(0, LONGEST_SIGNATURE).toString('latin1');
  const known = SIGNATURES.find(({ begins }) => begins.test(head));
  if (known !== undefined) return { extension: known.extension, isPicture: known.isPicture };
  return isPlainText(bytes) ? { extension: 'txt', isPicture: false } : null;
}

function isPlainText(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/.test(text) && !PAGE.test(text.slice(0, 2000));
  } catch {
    return false;
  }
}
