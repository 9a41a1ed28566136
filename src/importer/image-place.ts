import { FileShelf } from '../images/file-shelf.ts';
import type { SqliteImageStore } from '../images/image-store.ts';
import { imageIndex, openImageStore } from '../images/open-image-store.ts';
import type { ServiceContext } from '../service/service.ts';

/** The files of images and their index. */
export interface OpenImages {
  readonly shelf: FileShelf;
  readonly store: SqliteImageStore;
}

/** Where images are kept. Opened at each need: a disk that can't be had now may be there then, and an index may be lost while we run. */
export class ImagePlace {
  readonly #context: Pick<ServiceContext, 'clock' | 'events'>;
  #shelf: FileShelf | undefined;
  #store: SqliteImageStore | undefined;

  constructor(context: Pick<ServiceContext, 'clock' | 'events'>) {
    this.#context = context;
  }

  /** Throws what the disk says. */
  open(state: string): OpenImages {
    // One for good: it knows what is being written
    this.#shelf ??= new FileShelf(state);
    this.#shelf.prepare();
    if (this.#store?.isSound() === false) this.close();
    this.#store ??= this.#openStore(state);
    return { shelf: this.#shelf, store: this.#store };
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }

  #openStore(state: string): SqliteImageStore {
    const { clock, events } = this.#context;
    const { store, replaced } = openImageStore(imageIndex(state), clock.now());
    if (replaced) events.emit({ kind: 'image.index-replaced', ...replaced });
    const { gap } = store.load();
    if (gap) events.emit({ kind: 'image.removal-held', ...gap });
    return store;
  }
}
