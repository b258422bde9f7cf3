"""C libraries that are often linked in statically, told by names that only they define."""

from __future__ import annotations

from collections.abc import Collection, Mapping

_ENOUGH = 3
# Public functions, from each library's own header. Libraries that are a package's subject export them on purpose.
_NAMES: Mapping[str, frozenset[str]] = {
    "zlib": frozenset({"deflate", "deflateEnd", "inflate", "inflateEnd", "zlibVersion", "adler32", "crc32"}),
    "bzip2": frozenset({"BZ2_bzCompress", "BZ2_bzDecompress", "BZ2_bzlibVersion"}),
    "lz4": frozenset({"LZ4_compress_default", "LZ4_decompress_safe", "LZ4_versionNumber"}),
    "xz": frozenset({"lzma_code", "lzma_end", "lzma_version_number"}),
    "zstd": frozenset({"ZSTD_compress", "ZSTD_decompress", "ZSTD_versionNumber"}),
    "OpenSSL": frozenset({"SSL_new", "SSL_free", "EVP_DigestInit_ex", "CRYPTO_free", "ERR_get_error"}),
    "SQLite": frozenset({"sqlite3_open", "sqlite3_step", "sqlite3_libversion"}),
    "expat": frozenset({"XML_ParserCreate", "XML_Parse", "XML_ParserFree"}),
    "libxml2": frozenset({"xmlParseDoc", "xmlFreeDoc", "xmlInitParser"}),
    "libpng": frozenset({"png_create_read_struct", "png_read_image", "png_get_io_ptr"}),
    "libjpeg": frozenset({"jpeg_CreateDecompress", "jpeg_read_header", "jpeg_std_error"}),
    "libcurl": frozenset({"curl_easy_init", "curl_easy_perform", "curl_version"}),
    "libffi": frozenset({"ffi_call", "ffi_prep_cif", "ffi_closure_alloc"}),
    "protobuf-c": frozenset({"protobuf_c_message_pack", "protobuf_c_message_unpack", "protobuf_c_version"}),
    "HDF5": frozenset({"H5open", "H5close", "H5Fopen", "H5Dread"}),
}


def bundled_libraries(defined: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the libraries of which at least three names are defined, with these names.

    Args:
        defined: the names that a binary exports.

    >>> bundled_libraries({"deflate", "inflate", "crc32"})
    {'zlib': ('crc32', 'deflate', 'inflate')}
    >>> bundled_libraries({"crc32"})
    {}
    """
    found = {library: tuple(sorted(names.intersection(defined))) for library, names in _NAMES.items()}
    return {library: names for library, names in found.items() if len(names) >= _ENOUGH}
