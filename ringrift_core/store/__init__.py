"""The artifact store: bytes under keys, in a folder (`file://`) or in a bucket (`s3://`).

Four promises, the same for both kinds:

* `put` and `upload` write whole or not at all; a reader never sees half a value.
* `create` writes only if the key is absent: of two writers one wins.
* `swap` writes only if the key still has the version that was read (compare-and-swap): If-Match on S3, a file lock
  and rename in a folder.
* What goes wrong is either `StoreAwayError` (try again later) or `StoreRefusedError` (somebody must change something).

`check_writable` tries them before the work. What lies under which key is `ringrift_core.archive`'s business;
docs/store.md has the layout. `base` says what a store is, `local` and `s3` are the two kinds, `probe` tries one,
`environment` reads what describes an S3 server, `addresses` turns a URI into a store, `cache` keeps objects of one that
is far away.
"""

from ringrift_core.store.addresses import address_of, open_store
from ringrift_core.store.base import Store, Versioned
from ringrift_core.store.cache import ObjectCache
from ringrift_core.store.local import LocalStore
from ringrift_core.store.s3 import S3Store

__all__ = ["LocalStore", "ObjectCache", "S3Store", "Store", "Versioned", "address_of", "open_store"]
