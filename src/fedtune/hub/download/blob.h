// One content of the cache, downloaded once by whichever process comes first.
#pragma once

#include "fedtune/hub/cache.h"
#include "fedtune/hub/download/progress.h"
#include "fedtune/hub/download/session.h"

namespace fedtune::hub {

// Leaves the file's content at cache.blob(etag), checked against the hash that the ETag is. Goes on where an earlier
// attempt, in either program, was cut off. Throws what fetch() throws.
void download_blob(Session& session, const RepositoryCache& cache, const RemoteFile& file, DownloadProgress& progress);

}  // namespace fedtune::hub
