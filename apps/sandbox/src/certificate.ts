import { X509Certificate } from 'node:crypto';
import { kept } from './kept-file.js';

/** A certificate with its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const DAYS = 365;
const DAY_MS = 86_400_000;
const FILE = 'certificate.pem';

/**
 * A certificate of our own making for this machine's own names. It is no authority: whoever trusts it trusts this server,
 * and nothing that its key could sign.
 */
export async function ownCertificate(folder: string | undefined): Promise<Certificate> {
  const pem = await kept(folder, FILE, make, isFresh);
  const [certificate = ''] = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(pem) ?? [];
  return { certificate, key: pem.replace(certificate, '').trim() };
}

async function make(): Promise<string> {
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: 'Belfry sandbox' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return `${made.cert.trim()}\n${made.private.trim()}\n`;
}

function isFresh(pem: string): boolean {
  try {
    return Date.parse(new X509Certificate(pem).validTo) > Date.now() + DAY_MS;
  } catch {
    return false;
  }
}
