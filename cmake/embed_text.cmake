# Usage: cmake -DOUT=file.c -DFILE=a.json -DNAME=symbol -P embed_text.cmake
# Writes the file as a C string.
file(READ ${FILE} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "extern const char ${NAME}[];\nconst char ${NAME}[] = {${bytes}0};\n")
