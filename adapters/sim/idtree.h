// An ordered set of ids, letters compared without case, as Asterisk compares channel and bridge
// ids. Ordered, because Asterisk refuses a new id that is a prefix of a living one: in an order,
// such ids stand next to each other. A treap with its links inside the owner: insertion allocates
// nothing, everything is O(log n).
#ifndef SIM_IDTREE_H
#define SIM_IDTREE_H

#include <stddef.h>
#include <stdint.h>

struct idnode {
    struct idnode *left, *right;
    uint32_t rank;
    const char *key; // the owner's; must not change while it is in the tree
};

struct idtree {
    struct idnode *root;
    uint32_t seed;
    size_t count;
};

// The key must not be in the tree yet.
void idtree_insert(struct idtree *tree, struct idnode *node);
void idtree_remove(struct idtree *tree, struct idnode *node);
struct idnode *idtree_find(const struct idtree *tree, const char *key);
// Some node whose key begins with this text (the whole key counts), or NULL.
struct idnode *idtree_prefixed(const struct idtree *tree, const char *text);

#endif
