/** A small XGBoost model that has one of most things, for tests that edit or break it. */

/** Two trees of `binary:logistic`: one with a number and a category, one of a single leaf. */
export const exampleXgboostText = `{
  "learner": {
    "attributes": { "note": "kept by nobody", "best_iteration": "1" },
    "feature_names": ["a", "b", "c=\\u00e4 \\"d\\""],
    "feature_types": ["float", "q", "c"],
    "gradient_booster": {
      "model": {
        "cats": { "enc": [
          { "offsets": [], "values": [] },
          { "offsets": [], "values": [] },
          { "offsets": [0, 1, 3, 4], "values": [120, -61, -92, 34] }
        ], "feature_segments": [0, 0, 0, 3], "sorted_idx": [0, 2, 1] },
        "gbtree_model_param": { "num_parallel_tree": "1", "num_trees": "2" },
        "iteration_indptr": [0, 1, 2],
        "tree_info": [0, 0],
        "trees": [
          {
            "base_weights": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
            "categories": [1, 2],
            "categories_nodes": [2],
            "categories_segments": [0],
            "categories_sizes": [2],
            "default_left": [1, 0, 0, 0, 0, 0, 0],
            "id": 0,
            "left_children": [1, -1, 3, -1, -1, -1, -1],
            "loss_changes": [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            "parents": [2147483647, 0, 0, 2, 2, 5, 5],
            "right_children": [2, -1, 4, -1, -1, -1, -1],
            "split_conditions": [5E-1, 2.5E-1, 1e-45, -5E-1, 1E0, 7E0, 8E0],
            "split_indices": [0, 0, 2, 0, 0, 2147483647, 2147483647],
            "split_type": [0, 0, 1, 0, 0, 0, 0],
            "sum_hessian": [4E0, 1E0, 3E0, 2E0, 1E0, 0E0, 0E0],
            "tree_param": { "num_deleted": "2", "num_feature": "3", "num_nodes": "7", "size_leaf_vector": "1" }
          },
          {
            "categories": [],
            "categories_nodes": [],
            "categories_segments": [],
            "categories_sizes": [],
            "default_left": [0],
            "id": 1,
            "left_children": [-1],
            "right_children": [-1],
            "split_conditions": [8],
            "split_indices": [0],
            "split_type": [0],
            "sum_hessian": [4.0],
            "tree_param": { "num_nodes": "1", "size_leaf_vector": "0" }
          }
        ]
      },
      "name": "gbtree"
    },
    "learner_model_param": {
      "base_score": "[5E-1]", "boost_from_average": "1", "num_class": "0", "num_feature": "3", "num_target": "1"
    },
    "objective": { "name": "binary:logistic", "reg_loss_param": { "scale_pos_weight": "1" } }
  },
  "version": [3, 2, 0]
}
`
