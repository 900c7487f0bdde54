namespace Cluster.Contracts.Spec;

/// <summary>What a layer learns to tell from real data.</summary>
public enum NegativeData
{
    /// <summary>The sample with a wrong label, each equally likely.</summary>
    RandomLabel,

    /// <summary>The sample with a wrong label, drawn by the probabilities that the read-out gives without a label: the likelier error more often.</summary>
    HardLabel,

    /// <summary>Unsupervised: two images, patched together by a blurred random mask. No label is in the input.</summary>
    Hybrid,
}

/// <summary>Where a dense input has its label.</summary>
public enum LabelPlace
{
    /// <summary>Over the first inputs, one a class, as for images with a black border.</summary>
    Overwrite,

    /// <summary>In inputs of its own before them.</summary>
    Prepend,
}

/// <summary>How a dense net predicts.</summary>
public enum DensePrediction
{
    /// <summary>Each label is tried; the one with the largest goodness over the layers wins.</summary>
    Goodness,

    /// <summary>One pass with a neutral label; the read-out decides.</summary>
    OnePass,
}

/// <summary>What the workers of a job share out.</summary>
public enum ParallelKind
{
    /// <summary>The leaves of a round: every worker computes all layers.</summary>
    Data,

    /// <summary>The layers: every worker has a run of them and hands its activities up to the next. Nothing is handed down.</summary>
    Layers,
}

/// <summary>The goodness of a layer's activities y.</summary>
public enum GoodnessKind
{
    /// <summary>Σ y².</summary>
    Sum,

    /// <summary>The mean of y²: the same order, gradients smaller by the width.</summary>
    Mean,
}

/// <summary>How a layer's loss sets positive against negative goodness.</summary>
public enum ContrastLoss
{
    /// <summary>softplus(θ - g⁺) and softplus(g⁻ - θ).</summary>
    ForwardForward,

    /// <summary>softplus(-α·(g⁺ - g⁻)) of a sample and its own negative.</summary>
    Symba,
}

/// <summary>What a graph network predicts.</summary>
public enum GraphTask
{
    /// <summary>The classes of nodes.</summary>
    Nodes,

    /// <summary>Whether two nodes are joined; evalAccuracy is then the area under the ROC curve.</summary>
    Links,
}

/// <summary>How the layers of a graph network learn.</summary>
public enum GraphAlgorithm
{
    /// <summary>Forward-forward with the label appended to the features (Eq. 4).</summary>
    FfLa,

    /// <summary>Forward-forward with the label as an edge to a virtual node (Eq. 5).</summary>
    FfVn,

    /// <summary>Single forward: scores against virtual nodes (Eq. 6), or of pairs for links (Eq. 9).</summary>
    Sf,

    /// <summary>Single forward with the layer above in the input (Eq. 7). All layers learn in every time step.</summary>
    SfTopToInput,

    /// <summary>Single forward with the layers above in the loss (Eq. 8). All layers learn in every time step.</summary>
    SfTopToLoss,

    /// <summary>The base line: back-propagation through the whole network, whose last layer gives the classes.</summary>
    BackPropagation,
}

/// <summary>A graph layer's loss.</summary>
public enum GraphLoss
{
    CrossEntropy,

    /// <summary>softplus(θ - g⁺) and softplus(g⁻ - θ).</summary>
    ForwardForward,

    /// <summary>softplus(-α·(g⁺ - g⁻)).</summary>
    Symba,
}

/// <summary>The labels that a forward-forward prediction on a graph puts in.</summary>
public enum KnownLabels
{
    /// <summary>Those of the training nodes, as for the other algorithms.</summary>
    Training,

    /// <summary>For the test also those of the validation nodes, as in the authors' code.</summary>
    TrainingAndValidation,
}

/// <summary>The order of the layers within a time step of top-down learning.</summary>
public enum LayerOrder
{
    /// <summary>From the first to the last, each with the fresh state below and the old one above (Algorithm 3).</summary>
    Sequential,

    /// <summary>Layers 1, 3, ... with old states, then 2, 4, ... with fresh ones (the authors' scripts for sfTopToInput).</summary>
    Alternating,

    /// <summary>All with old states (the authors' code for sfTopToLoss).</summary>
    Together,
}

/// <summary>What an upward pass of sfTopToLoss hands from layer to layer.</summary>
public enum UpwardPass
{
    /// <summary>Normalised states, as in training.</summary>
    Normalised,

    /// <summary>Activities as they are, from the first layer's input on; the states made of them are normalised afterwards (the authors' code).</summary>
    AsReleased,
}
