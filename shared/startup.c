#include "shared/startup.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#define OVER_MS 1000

/*
 * Segments that nobody may write hold nothing but their file's bytes.  Others
 * must be kept, even where they are read-only now: relocations are in them.
 */
static int
let_go(struct dl_phdr_info *object, size_t size, void *arg)
{
    uintptr_t page = *(const uintptr_t *)arg;

    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_W) != 0)
            continue;
        uintptr_t from = (object->dlpi_addr + p->p_vaddr) & ~(page - 1);
        uintptr_t to = object->dlpi_addr + p->p_vaddr + p->p_filesz;
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
    }
    return 0;
}

static void
on_over(void *arg)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)arg;
    dl_iterate_phdr(let_go, &page);
}

void
rx_startup_begin(struct rx_startup *s, struct rx_loop *loop)
{
    rx_timer_init(&s->over, loop, on_over, s);
    rx_timer_set(&s->over, OVER_MS);
}

void
rx_startup_fini(struct rx_startup *s)
{
    rx_timer_fini(&s->over);
}
