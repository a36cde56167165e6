# Every foreign library, found once; folders name the target they need.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
find_program(PROTOC_C protoc-c REQUIRED)

# Libraries that Debian ships without a .pc file.
function(rx_import name library header)
    find_library(${name}_LIBRARY ${library} REQUIRED)
    find_path(${name}_INCLUDE ${header} REQUIRED)
    add_library(${name} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(${name} INTERFACE ${${name}_LIBRARY})
    target_include_directories(${name} SYSTEM INTERFACE ${${name}_INCLUDE})
endfunction()
rx_import(EVHTP evhtp evhtp.h)
rx_import(NNG nng nng/nng.h)
rx_import(HTTP_PARSER http_parser http_parser.h)

# An allocator made for many small short-lived objects; sanitizers bring theirs.
# Named outright: --as-needed drops it under LTO, where a call of malloc is no
# reason yet to need somebody's.
add_library(allocator INTERFACE)
if(NOT RX_SANITIZE)
    find_library(MIMALLOC_LIBRARY mimalloc)
    if(MIMALLOC_LIBRARY)
        target_link_libraries(allocator INTERFACE
            -Wl,--push-state,--no-as-needed ${MIMALLOC_LIBRARY}
            -Wl,--pop-state)
    endif()
endif()
