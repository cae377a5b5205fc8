import { type FileHandle, open } from "node:fs/promises";
import type { Link } from "./link.ts";
import type { RunFile } from "./link-messages.ts";

const pieceBytes = 128 * 1024;
/** A longer line would not fit into a frame, quoted as JSON. */
const maxPieceBytes = 512 * 1024;
const windowBytes = 1 << 20;

/**
 * Ships a growing file to the C-BS over the link, in order and without loss: by byte offset, from where the C-BS says
 * it stands after every reconnection.
 */
export class Shipping {
  readonly #link: Link;
  readonly #run: string;
  readonly #kind: RunFile;
  readonly #path: string;
  #file: FileHandle | undefined;
  /** undefined until the C-BS has said what it has. */
  #sent: number | undefined;
  #acknowledged = 0;
  /** Pieces that the C-BS has not answered yet. */
  #inFlight = 0;
  #shipping: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(link: Link, run: string, kind: RunFile, path: string) {
    this.#link = link;
    this.#run = run;
    this.#kind = kind;
    this.#path = path;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The C-BS has this many bytes: go on from there. `restart` after a reconnection, when what was in flight is gone. */
  have(offset: number, restart: boolean): void {
    if (this.#closed) return;
    this.#acknowledged = offset;
    this.#inFlight = restart ? 0 : Math.max(this.#inFlight - 1, 0);
    // Every piece is answered once: with none in flight and the C-BS elsewhere, it has refused some for their offset.
    if (this.#inFlight === 0) this.#sent = offset;
    void this.ship();
  }

  /** Sends what the file has beyond what was sent; call it after each sync of the file. */
  ship(): Promise<void> {
    this.#again = true;
    this.#shipping ??= this.#shipAll();
    return this.#shipping;
  }

  async #shipAll(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#send();
      }
    } finally {
      this.#shipping = undefined;
    }
  }

  async #send(): Promise<void> {
    let buffer = Buffer.alloc(pieceBytes);
    while (this.#sent !== undefined && this.#link.isUp && this.#sent - this.#acknowledged < windowBytes) {
      const offset = this.#sent;
      this.#file ??= await open(this.#path, "r");
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, offset);
      // Meanwhile the C-BS may have asked to go on from elsewhere.
      if (this.#sent !== offset) continue;
      // Whole lines only, so that a piece is never cut within a character.
      const end = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
      if (end === 0 && bytesRead === buffer.length && bytesRead < maxPieceBytes) {
        buffer = Buffer.alloc(2 * buffer.length);
        continue;
      }
      if (bytesRead === 0 || end === 0 || end > bytesRead) return;
      const text = buffer.toString("utf8", 0, end);
      if (!this.#link.send({ type: "append", run: this.#run, file: this.#kind, offset, text })) return;
      this.#inFlight += 1;
      this.#sent = offset + end;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sent = undefined;
    await this.#shipping;
    await this.#file?.close();
  }
}
