# Usage: cmake -DOUT=file.c -DFILES="a.sql;b.sql" -P embed_migrations.cmake
# Writes the SQL files as one C table, ordered by name: see controlplane/db.h.
separate_arguments(FILES UNIX_COMMAND "${FILES}")
list(SORT FILES)
set(rows "")
foreach(file ${FILES})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(MAKE_C_IDENTIFIER "sql_${name}" id)
    string(APPEND text "static const char ${id}[] = {${bytes}0};\n")
    string(APPEND rows "    { \"${name}\", ${id} },\n")
endforeach()
file(WRITE ${OUT} "#include \"controlplane/migrations.h\"\n${text}
const struct migration migrations[] = {\n${rows}    { 0, 0 },\n};\n")
