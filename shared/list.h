/*
 * list.h - an intrusive doubly linked list that knows its length.
 *
 *     struct call { struct rx_link link; ... };
 *     rx_list_push(&pool->idle, &call->link);
 *     struct call *c = RX_LIST_ITEM(rx_list_first(&pool->idle), struct call, link);
 *
 * A zeroed link is in no list; a list must be initialised.
 */
#ifndef SHARED_LIST_H
#define SHARED_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct rx_link {
    struct rx_link *prev;
    struct rx_link *next;
};

struct rx_list {
    struct rx_link head; /* circular */
    size_t count;
};

#define RX_LIST_ITEM(l, type, member) \
    ((type *)(void *)((char *)(l)-offsetof(type, member)))

#define RX_LIST_FOREACH(l, list) \
    for ((l) = (list)->head.next; (l) != &(list)->head; (l) = (l)->next)

/* As above, and the current link may be removed. */
#define RX_LIST_FOREACH_SAFE(l, save, list)                                 \
    for ((l) = (list)->head.next, (save) = (l)->next; (l) != &(list)->head; \
         (l) = (save), (save) = (save)->next)

static inline void
rx_list_init(struct rx_list *list)
{
    list->head.prev = list->head.next = &list->head;
    list->count = 0;
}

static inline bool
rx_link_in(const struct rx_link *l)
{
    return l->next != NULL;
}

static inline void
rx_list_insert_(struct rx_list *list, struct rx_link *after, struct rx_link *l)
{
    l->prev = after;
    l->next = after->next;
    after->next->prev = l;
    after->next = l;
    list->count++;
}

/* To the front. */
static inline void
rx_list_push(struct rx_list *list, struct rx_link *l)
{
    rx_list_insert_(list, &list->head, l);
}

/* To the end. */
static inline void
rx_list_append(struct rx_list *list, struct rx_link *l)
{
    rx_list_insert_(list, list->head.prev, l);
}

static inline void
rx_list_remove(struct rx_list *list, struct rx_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
    list->count--;
}

static inline struct rx_link *
rx_list_first(const struct rx_list *list)
{
    return list->count == 0 ? NULL : list->head.next;
}

static inline struct rx_link *
rx_list_last(const struct rx_list *list)
{
    return list->count == 0 ? NULL : list->head.prev;
}

#endif
