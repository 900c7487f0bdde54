using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>One mistake a row, and the one problem that it gives.</summary>
public sealed class WrongSpecTests
{
    /// <summary>What is written instead of what, in which line and at which key it is reported, and a part of the message.</summary>
    public static TheoryData<string, string, int, string, string> InDigits => new()
    {
        // Unknown, repeated and missing keys.
        { "batch: 128", "batch: 128\nbatchs: 3", 6, "batchs", "an unknown key (did you mean \"batch\"?)" },
        { "beta1: 0.9", "betta1: 0.9", 9, "optimizer.betta1", "(did you mean \"beta1\"?), allowed: the keys kind, beta1, beta2" },
        { "beta1: 0.9", "Beta1: 0.9", 9, "optimizer.Beta1", "did you mean \"beta1\"?" },
        { "beta1: 0.9", "\"a.b\\e\": 1", 9, "optimizer.\"a.b\\u001b\"", "an unknown key" },
        { "epochs: 2", "epochs: 2\nbatch: 64", 7, "batch", "the key a second time (first in line 5)" },
        { "name: digits\n", "", 1, "name", "found no such key, allowed: 1 to 63 of a-z" },
        { "name: digits\n", "nane: digits\n", 1, "nane", "did you mean \"name\"?" },
        { "method: lamb\n", "", 1, "method", "found no such key, allowed: one of lamb" },
        { "model: {kind: mlp}\n", "", 1, "model", "found no such key, allowed: a mapping with the key kind, one of mlp, lenet, resnet, bert, gpt, mae" },
        { "data: {kind: digits}\n", "", 1, "data", "one of digits, mnist, fashion-mnist, cifar10, text" },
        { "batch: 128\n", "", 1, "batch", "found no such key, allowed: samples per round" },
        { "{kind: mlp}", "{hidden: [3]}", 3, "model.kind", "found no such key, allowed: one of mlp" },
        { "{kind: digits}", "{kind: text}", 4, "data.files", "found no such key, allowed: a list of at least one of texts" },
        { "epochs: 2", "epochs: 2\nscaling: {base: {batch: 1}}", 7, "scaling.base.lr", "found no such key, allowed: a number above 0" },
        { "epochs: 2", "epochs: 2\nclip: {point: leaf}", 7, "clip.norm", "found no such key" },

        // Wrong types.
        { "batch: 128", "batch: many", 5, "batch", "found \"many\", allowed: a whole number at least 1" },
        { "batch: 128", "batch: \"128\"", 5, "batch", "found the text \"128\"" },
        { "batch: 128", "batch: 128.5", 5, "batch", "found \"128.5\"" },
        { "batch: 128", "batch: 0x80", 5, "batch", "found \"0x80\"" },
        { "batch: 128", "batch:", 5, "batch", "found no value" },
        { "batch: 128", "batch: [128]", 5, "batch", "found a list, allowed: a whole number" },
        { "batch: 128", "batch: {of: 128}", 5, "batch", "found a mapping of keys" },
        { "lr: 0.01", "lr: fast", 11, "schedule.lr", "found \"fast\", allowed: a number above 0" },
        { "lr: 0.01", "lr: 1e", 11, "schedule.lr", "found \"1e\"" },
        { "lr: 0.01", "lr: 0,01", 11, "schedule.lr", "found \"0,01\"" },
        { "beta1: 0.9", "nesterov: yes", 9, "optimizer.nesterov", "found \"yes\", allowed: true or false" },
        { "{kind: mlp}", "mlp", 3, "model", "found \"mlp\", allowed: a mapping with the key kind" },
        { "{kind: mlp}", "{kind: mlp, hidden: 64}", 3, "model.hidden", "found \"64\", allowed: a list of whole numbers, each at least 1" },
        { "{kind: mlp}", "{kind: mlp, hidden: [64, x]}", 3, "model.hidden[1]", "found \"x\"" },
        { "{kind: digits}", "{kind: digits, path: [a]}", 4, "data.path", "found a list, allowed: text" },
        { "{kind: digits}", "{kind: digits, path: ''}", 4, "data.path", "found the text \"\"" },
        { "{kind: digits}", "{kind: digits, path: \"a\\0b\"}", 4, "data.path", "found the text \"a\\u0000b\"" },
        { "epochs: 2", "epochs: 2\nstages: {batch: 1}", 7, "stages", "found a mapping of keys, allowed: a list of mappings" },
        { "epochs: 2", "epochs: 2\nseed: 9223372036854775808", 7, "seed", "a whole number of 64 bits" },

        // Names out of a list.
        { "method: lamb", "method: lomb", 2, "method", "found \"lomb\" (did you mean \"lamb\"?), allowed: one of lamb" },
        { "method: lamb", "method: none", 2, "method", "found \"none\"" },
        { "method: lamb", "method: 0", 2, "method", "found \"0\"" },
        { "{kind: mlp}", "{kind: nlp}", 3, "model.kind", "(did you mean \"mlp\"?)" },
        { "{kind: mlp}", "{kind: [mlp]}", 3, "model.kind", "found a list" },
        { "{kind: digits}", "{kind: fashionMnist}", 4, "data.kind", "(did you mean \"fashion-mnist\"?)" },
        { "kind: lamb", "kind: adamx", 8, "optimizer.kind", "(did you mean \"adamw\"?), allowed: one of lamb, lars, adamw, sgd, adam" },
        { "epochs: 2", "epochs: 2\nprecision: float16", 7, "precision", "allowed: one of float32, bfloat16" },

        // Limits.
        { "batch: 128", "batch: 0", 5, "batch", "found \"0\", allowed: a whole number at least 1 and at most 16777216" },
        { "batch: 128", "batch: -128", 5, "batch", "found \"-128\"" },
        { "batch: 128", "batch: 99999999999999999999", 5, "batch", "at most 16777216" },
        { "epochs: 2", "epochs: 0", 6, "epochs", "a number above 0" },
        { "beta1: 0.9", "beta1: 1", 9, "optimizer.beta1", "found \"1\", allowed: a number at least 0 and below 1" },
        { "beta1: 0.9", "epsilon: -1e-6", 9, "optimizer.epsilon", "at least 0" },
        { "lr: 0.01", "lr: .nan", 11, "schedule.lr", "found \".nan\", which is not finite" },
        { "lr: 0.01", "lr: .inf", 11, "schedule.lr", "found \".inf\", which is not finite" },
        { "lr: 0.01", "lr: 1e999", 11, "schedule.lr", "found \"1e999\", which is not finite" },
        { "lr: 0.01", "lr: 1e-999", 11, "schedule.lr", "a number above 0" },
        { "warmupShare: 0.1", "warmupShare: 10", 12, "schedule.warmupShare", "at least 0 and at most 1" },
        { "{kind: mlp}", "{kind: mlp, hidden: [64, 0]}", 3, "model.hidden[1]", "at least 1" },
        { "{kind: mlp}", "{kind: mlp, dropout: 1.0}", 3, "model.dropout", "below 1" },
        { "epochs: 2", "epochs: 2\nthreads: 0", 7, "threads", "at least 1 and at most 256" },
        { "epochs: 2", "epochs: 2\nworkers: {min: 0}", 7, "workers.min", "at least 1" },
        { "epochs: 2", "epochs: 2\ncheckpoint: {keep: 0}", 7, "checkpoint.keep", "at least 1" },
        { "name: digits", "name: Digits", 1, "name", "found \"Digits\", allowed: 1 to 63 of a-z" },
        { "name: digits", "name: ../../etc", 1, "name", "found \"../../etc\"" },
        { "name: digits", "name: \"digits\\n\"", 1, "name", "found the text \"digits\\u000a\"" },

        // Rules between keys.
        { "epochs: 2", "epochs: 2\nrounds: 3", 7, "rounds", "found rounds beside epochs, allowed: one of the two" },
        { "epochs: 2\n", "", 1, "epochs", "found neither epochs nor rounds" },
        { "batch: 128", "batch: 128\nleaf: 129", 6, "leaf", "found 129, more than the batch of 128, allowed: a whole number at least 1 and at most 128" },
        { "batch: 128", "batch: 100000\nleaf: 1", 6, "leaf", "into 100000 leaves, allowed: at most 65536 leaves per round" },
        { "  lr: 0.01\n", "", 10, "schedule.lr", "found no learning rate, allowed: schedule.lr, or scaling with its base" },
        { "epochs: 2", "epochs: 2\nscaling: {base: {batch: 64, lr: 1}}", 12, "schedule.lr", "a learning rate beside scaling" },
        { "lr: 0.01", "lr: 0.01\n  warmupEpochs: 1", 13, "schedule.warmupShare", "a warm-up length beside schedule.warmupEpochs" },
        { "beta1: 0.9", "trustCoefficient: 0.01", 9, "optimizer.trustCoefficient", "a key that optimizer.kind lamb does not use, allowed: this key with optimizer.kind lars" },
        { "beta1: 0.9", "momentum: 0.9", 9, "optimizer.momentum", "this key with optimizer.kind lars or sgd" },
        { "kind: lamb", "kind: sgd", 9, "optimizer.beta1", "a key that optimizer.kind sgd does not use" },
        { "lr: 0.01", "lr: 0.01\n  power: 2", 12, "schedule.power", "this key with schedule.decay polynomial" },
        { "beta1: 0.9", "ratioClip: {low: 2, high: 1}", 9, "optimizer.ratioClip.low", "found 2, above optimizer.ratioClip.high, allowed: a number at most 1" },
        { "beta1: 0.9", "normClamp: {low: 2, high: 1.5}", 9, "optimizer.normClamp.low", "a number at most 1.5" },
        { "{kind: mlp}", "{kind: lenet}", 4, "data.kind", "found \"digits\" with model.kind lenet, allowed: mnist, fashion-mnist or cifar10" },
        { "{kind: mlp}", "{kind: bert}", 4, "data.kind", "found \"digits\" with model.kind bert, allowed: text" },
        { "{kind: mlp}", "{kind: mae, patch: 3}", 4, "data.kind", "found \"digits\", images of 8x8 pixels, with model.patch 3, allowed: a patch that divides 8, or images whose side is a multiple of 3" },
        { "{kind: mlp}", "{kind: mae, masked: 0.8}", 3, "model.masked", "found 0.8, which leaves 0 of the 4 patches of digits to be seen" },
        { "{kind: mlp}", "{kind: mae, patch: 8}", 3, "model.masked", "found 0.75, which leaves 0 of the 1 patches" },
        { "{kind: mlp}", "{kind: mae, masked: 1}", 3, "model.masked", "found \"1\", allowed: a number above 0 and below 1" },
        { "{kind: mlp}", "{kind: mae, width: 66, heads: 2}", 3, "model.width", "found 66, allowed: a multiple of 4" },
        { "{kind: mlp}", "{kind: mae, heads: 3}", 3, "model.heads", "found 3 heads for a width of 128" },
        { "{kind: mlp}", "{kind: mae, decoder: {heads: 5}}", 3, "model.decoder.heads", "found 5 heads for a width of 64, allowed: a number of heads that divides model.decoder.width" },
        { "{kind: mlp}", "{kind: mae, decoder: {width: 30, heads: 3}}", 3, "model.decoder.width", "found 30, allowed: a multiple of 4" },
        { "{kind: mlp}", "{kind: mae, targets: normalized}", 3, "model.targets", "did you mean \"normalised\"?" },
        { "{kind: digits}", "{kind: cifar10, side: 33}", 4, "data.side", "at least 4 and at most 32" },
        { "{kind: mlp}", "{kind: torchscript}", 3, "model.file", "found no such key" },
        { "{kind: mlp}", "{kind: torchscript, file: /etc/net.pt}", 3, "model.file", "found \"/etc/net.pt\", allowed: a path within a data folder, relative and without '..', or upload:NAME" },
        { "{kind: mlp}", "{kind: torchscript, file: a/../../net.pt}", 3, "model.file", "a path within a data folder" },
        { "{kind: mlp}", "{kind: torchscript, file: 'a\\..\\net.pt'}", 3, "model.file", "a path within a data folder" },
        { "{kind: mlp}", "{kind: torchscript, file: 'c:net.pt'}", 3, "model.file", "a path within a data folder" },
        { "{kind: mlp}", "{kind: torchscript, file: net.pt, sha256: 12ab}", 3, "model.sha256", "found \"12ab\", allowed: 64 lower-case hex digits" },
        { "{kind: mlp}", "{kind: torchscript, file: net.pt}\nprecision: bfloat16", 4, "precision", "found bfloat16, allowed: float32 with model.kind torchscript" },
        { "{kind: mlp}", "{kind: torchscript, file: net.pt}\ndevice: cuda", 4, "device", "found cuda, allowed: cpu with model.kind torchscript" },
        { "{kind: mlp}", "{kind: gcn}", 3, "model.kind", "found \"gcn\" with method lamb, allowed: mlp, lenet, resnet, bert, gpt, mae or torchscript, or method forwardForward" },
        { "epochs: 2", "epochs: 2\nforwardForward: {kind: dense}", 7, "forwardForward", "a key that method lamb does not use, allowed: this key with method forwardForward" },
        { "{kind: digits}", "{kind: text, files: [a]}", 4, "data.kind", "found \"text\" with model.kind mlp, allowed: digits, mnist" },
        { "epochs: 2", "epochs: 2\nsequence: 8", 7, "sequence", "tokens per sample with data.kind digits" },

        // Not this YAML.
        { "batch: 128", "batch: 128: 3", 5, "", "broken YAML" },
        { "batch: 128", "batch: &b 128", 5, "", "an anchor or alias" },
        { "batch: 128", "batch: *b", 5, "", "an anchor or alias" },
        { "batch: 128", "batch: !!int 128", 5, "", "a tag" },
        { "batch: 128", "[a]: 128", 5, "", "a list or mapping as a key" },
        { "batch: 128", "batch: [128", 5, "", "a list or mapping that is not closed" },
        { "batch: 128", "batch: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", 5, "", "more than 16 deep" },
        { "name: digits", "--- {}\n---\nname: digits", 2, "", "a second document" },
    };

    public static TheoryData<string, string, int, string, string> InText => new()
    {
        { "context: 64", "context: 64\n  heads: 5", 6, "model.heads", "found 5 heads for a width of 128, allowed: a number of heads that divides model.width" },
        { "rounds: 100", "rounds: 100\nsequence: 65", 9, "sequence", "found 65, more than model.context, allowed: a whole number at least 2 and at most 64" },
        { "rounds: 100", "rounds: 100\nsequence: 1", 9, "sequence", "at least 2" },
        { "context: 64", "context: 64\n  blocksPerGroup: 3", 6, "model.blocksPerGroup", "allowed: the keys kind, layers, width, heads, context, dropout" },
        { "files: [a.txt]", "files: []", 6, "data.files", "found an empty list, allowed: a list of at least one" },
        { "files: [a.txt]", "files: a.txt", 6, "data.files", "found \"a.txt\", allowed: a list" },
        { "files: [a.txt]", "files: [a.txt, ~]", 6, "data.files[1]", "found no value" },
        { "files: [a.txt]", "files: [a.txt], evaluationShare: 1", 6, "data.evaluationShare", "a number above 0 and below 1" },
    };

    public static TheoryData<string, string, int, string, string> InStages => new()
    {
        { "batch: 32", "batch: 16", 5, "leaf", "found 32, more than the batch of 16" },
        { "batch: 32", "batch: 32\n    leaf: 64", 14, "stages[1].leaf", "found 64, more than the batch of 32" },
        { "    batch: 32\n", "", 12, "stages[1].batch", "found no such key" },
        { "epochs: 1", "epochs: 1\n    rounds: 7", 15, "stages[1].rounds", "rounds beside epochs" },
        { "    epochs: 1\n", "", 12, "stages[1].epochs", "neither epochs nor rounds" },
        { "sequence: 512", "sequence: 513", 15, "stages[1].sequence", "more than model.context" },
        { "name: long", "name: short", 12, "stages[1].name", "found \"short\", the name of an earlier stage" },
        { "name: long\n    batch: 32", "batch: 32\n    name: short", 13, "stages[1].name", "found \"short\"" },
        { "short\n    batch: 64\n    epochs: 9\n    sequence: 128\n  - name: long\n", "stage-2\n    batch: 64\n    epochs: 9\n  -\n", 12, "stages[1].name", "found \"stage-2\", the name of an earlier stage" },
        { "epochs: 9", "epoch: 9", 10, "stages[0].epoch", "did you mean \"epochs\"?" },
        { "batch: 32", "batch: 32\n    moments: drop", 14, "stages[1].moments", "allowed: one of keep, reset" },
        { "batch: 32", "batch: 32\n    schedule: {warmupShare: 0.1}", 14, "stages[1].schedule.lr", "no learning rate" },
        { "batch: 32", "batch: 32\n    schedule: {lr: 1}\n    scaling: {base: {batch: 1, lr: 1}}", 14, "stages[1].schedule.lr", "a learning rate beside stages[1].scaling" },
    };

    public static TheoryData<string, string, int, string, string> InFederated => new()
    {
        { "{kind: mlp}", "{kind: mae}", 3, "model.kind", "found \"mae\" with method fedHyper, allowed: mlp, lenet, resnet, bert, gpt or torchscript, or method lamb or continual" },
        // Keys of another method, and what this one needs.
        { "rounds: 30", "rounds: 30\nbatch: 64", 6, "batch", "a key that method fedHyper does not use, allowed: this key with method lamb" },
        { "rounds: 30", "rounds: 30\noptimizer: {kind: sgd}", 6, "optimizer", "a key that method fedHyper does not use" },
        { "rounds: 30", "rounds: 30\nstages: [{batch: 3}]", 6, "stages", "a key that method fedHyper does not use" },
        { "rounds: 30", "rounds: 30\nschedule: {lr: 1}", 6, "schedule", "a key that method fedHyper does not use" },
        { "rounds: 30", "rounds: 30\nepochs: 2", 6, "epochs", "a key that method fedHyper does not use" },
        { "rounds: 30\n", "", 1, "rounds", "found no such key, allowed: a whole number at least 1" },
        { "method: fedHyper", "method: fedhyper", 2, "method", "did you mean \"fedHyper\"?" },
        { "federated:", "federeted:", 6, "federeted", "did you mean \"federated\"?" },
        { "rounds: 30", "rounds: 30\nsequence: 8", 6, "sequence", "tokens per sample with data.kind digits" },

        // Clients.
        { "clientsPerRound: 6", "clientsPerRound: 31", 8, "federated.clientsPerRound", "found 31, more than there are clients, allowed: a whole number at least 1 and at most 30" },
        { "clientsPerRound: 6", "clientsPerRound: 0", 8, "federated.clientsPerRound", "at least 1 and at most 4096" },
        { "  clientsPerRound: 6\n", "", 7, "federated.clientsPerRound", "found no such key" },
        { "kind: dirichlet", "kind: dirichlett", 7, "federated.partition.kind", "did you mean \"dirichlet\"?" },
        { "alpha: 0.5", "alpha: 0", 7, "federated.partition.alpha", "above 0" },
        { ", alpha: 0.5", "", 7, "federated.partition.alpha", "found no such key" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}", "{kind: iid, clients: 30, alpha: 0.5}", 7, "federated.partition.alpha", "an unknown key, allowed: the keys kind, clients" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}", "{kind: speaker, clients: 30}", 7, "federated.partition.kind", "\"speaker\" with data.kind digits, allowed: iid, dirichlet, shards, folders or sites" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}", "{kind: files, clients: 30}", 7, "federated.partition.kind", "\"files\" with data.kind digits" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}", "{kind: folders, clients: []}", 7, "federated.partition.clients", "found an empty list" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}", "{kind: folders, clients: [{name: a, path: a}]}", 8, "federated.clientsPerRound", "found 6, more than there are clients, allowed: a whole number at least 1 and at most 1" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}\n  clientsPerRound: 6", "{kind: folders, clients: [{name: a, path: a}, {name: a, path: b}]}\n  clientsPerRound: 2", 7, "federated.partition.clients[1].name", "found \"a\", the name of an earlier client" },

        { "clientsPerRound: 6", "clientsPerRound: 6\n  localEvaluation: {share: 0}", 9, "federated.localEvaluation.share", "above 0 and below 1" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  localEvaluation: {share: 1}", 9, "federated.localEvaluation.share", "above 0 and below 1" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  localEvaluation: {}", 9, "federated.localEvaluation.share", "found no such key" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  localEvaluation: {share: 0.2, everyRounds: 5}", 9, "federated.localEvaluation.everyRounds", "an unknown key, allowed: the keys share" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  participation: {overSampling: 0.9}", 9, "federated.participation.overSampling", "at least 1 and at most 3" },
        { "clientsPerRound: 6", "clientsPerRound: 12\n  participation: {overSampling: 2.6}", 9, "federated.participation.overSampling", "found 32 clients in a round, more than there are, allowed: at most 30 clients" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  participation: {quorum: 0}", 9, "federated.participation.quorum", "above 0 and at most 1" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  participation: {deadlineSeconds: 0}", 9, "federated.participation.deadlineSeconds", "above 0" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  participation: {deadline: 30s}", 9, "federated.participation.deadline", "an unknown key" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}\n  clientsPerRound: 6", "{kind: sites, clients: [a, b]}\n  clientsPerRound: 2", 6, "federated.participation.deadlineSeconds", "found no such key with sites, which may be away" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}\n  clientsPerRound: 6", "{kind: sites, clients: [a, b, a]}\n  participation: {deadlineSeconds: 30}\n  clientsPerRound: 2", 7, "federated.partition.clients[2]", "found \"a\", the name of an earlier site, allowed: each site once" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}\n  clientsPerRound: 6", "{kind: sites, clients: [a, Hospital B]}\n  participation: {deadlineSeconds: 30}\n  clientsPerRound: 2", 7, "federated.partition.clients[1]", "1 to 63 of a-z, 0-9 and '-', beginning with a letter" },
        { "{kind: dirichlet, clients: 30, alpha: 0.5}\n  clientsPerRound: 6", "{kind: sites, clients: [a, b]}\n  participation: {deadlineSeconds: 30}\n  clientsTogether: 2\n  clientsPerRound: 2", 9, "federated.clientsTogether", "found 2 with sites, allowed: 1, or no such key" },
        { "clientsPerRound: 6", "clientsPerRound: 6\n  clientsTogether: 257", 9, "federated.clientsTogether", "at least 1 and at most 256" },
        { "rounds: 30\nfederated:\n", "rounds: 30\nprecision: bfloat16\nfederated:\n  clientsTogether: 4\n", 8, "federated.clientsTogether", "found 4 with another model than an mlp without dropout, in float32, on images, allowed: 1, or no such key" },

        // Local steps and rates.
        { "localEpochs: 2", "localEpochs: 2\n  localSteps: 9", 10, "federated.localSteps", "localSteps beside localEpochs, allowed: one of the two" },
        { "  localEpochs: 2\n", "", 6, "federated.localEpochs", "neither localEpochs nor localSteps" },
        { "  localLr: 0.01\n", "", 7, "federated.localLr", "found no such key, allowed: a number above 0" },
        { "localLr: 0.01", "localLr: 0.5", 10, "federated.localLr", "found 0.5, outside of the window that federated.scheduler.localWindow has by default, allowed: a rate from 0.001 to 0.1, or another window" },
        { "variant: g+cl", "variant: g+cl\n    localWindow: {low: 0.1, high: 1}", 10, "federated.localLr", "found 0.01, outside of federated.scheduler.localWindow, allowed: a rate from 0.1 to 1" },
        { "variant: g+cl", "variant: g+cl\n    localWindow: {low: 1, high: 0.001}", 14, "federated.scheduler.localWindow.low", "above federated.scheduler.localWindow.high" },
        { "variant: g+cl", "variant: g+cl\n    localGamma: 10\n    localWindow: {low: 0.001, high: 0.1}", 14, "federated.scheduler.localGamma", "localGamma beside localWindow" },
        { "localEpochs: 2", "localEpochs: 2\n  localOptimizer: {kind: adam, momentum: 0.9}", 10, "federated.localOptimizer.momentum", "an unknown key" },

        // Schedulers and servers.
        { "variant: g+cl", "variant: gcl", 13, "federated.scheduler.variant", "allowed: one of g, sl, cl, g+cl, g+sl" },
        { "variant: g+cl", "variant: cl\n    globalGamma: 3", 14, "federated.scheduler.globalGamma", "a key that federated.scheduler.variant cl does not use, allowed: this key with federated.scheduler.variant g or g+cl or g+sl" },
        { "variant: g+cl", "variant: g\n    localGamma: 10", 14, "federated.scheduler.localGamma", "a key that federated.scheduler.variant g does not use" },
        { "variant: g+cl", "variant: g+sl\n    globalTerm: none", 14, "federated.scheduler.globalTerm", "this key with federated.scheduler.variant cl or g+cl" },
        { "variant: g+cl", "mode: paper\n    globalHyperStep: 0.1", 14, "federated.scheduler.globalHyperStep", "a key that federated.scheduler.mode paper does not use, allowed: this key with federated.scheduler.mode robust" },
        { "variant: g+cl", "mode: released\n    product: cosine", 14, "federated.scheduler.product", "federated.scheduler.mode released does not use" },
        { "server: {kind: fedAvg}", "server: {kind: fedAdam, momentum: 0.9}", 14, "federated.server.momentum", "an unknown key, allowed: the keys kind, lr, beta1, beta2, tau" },
        { "variant: g+cl\n  server: {kind: fedAvg}", "mode: released\n  server: {kind: fedAvgM}", 14, "federated.server.kind", "found fedAvgM with federated.scheduler.mode released, allowed: fedAvg" },
        { "variant: g+cl", "mode: released\n  localOptimizer: {kind: adam}", 14, "federated.localOptimizer", "another step than plain SGD" },
        { "kind: fedHyper\n    variant: g+cl\n  server: {kind: fedAvg}", "kind: fedExp\n  server: {kind: fedAdam}", 13, "federated.server.kind", "found fedAdam with federated.scheduler.kind fedExp" },
        { "kind: fedHyper\n    variant: g+cl", "kind: fedExp\n  globalLr: 2", 13, "federated.globalLr", "found 2 with federated.scheduler.kind fedExp, which computes it" },
        { "kind: fedHyper\n    variant: g+cl", "kind: decay\n    variant: g", 13, "federated.scheduler.variant", "an unknown key, allowed: the keys kind, rate, factor, everyRounds" },
    };

    [Theory]
    [MemberData(nameof(InFederated))]
    public void A_mistake_in_a_federated_job_is_one_problem(string written, string instead, int line, string key, string part) =>
        ExpectOne(SpecSamples.Federated, written, instead, line, key, part);

    [Theory]
    [InlineData("{kind: dirichlet, clients: 9, alpha: 1}", "federated.partition.kind", "\"dirichlet\" with data.kind text, allowed: iid, speaker, files, folders or sites: text has no classes")]
    [InlineData("{kind: shards, clients: 9}", "federated.partition.kind", "\"shards\" with data.kind text")]
    [InlineData("{kind: files, clients: 2}", "federated.partition.clients", "found 2 with 1 data.files, allowed: 1, one for each file")]
    public void A_partition_that_does_not_fit_text_is_refused(string partition, string key, string part)
    {
        var yaml = SpecSamples.Text.Replace("method: lamb", "method: fedHyper", StringComparison.Ordinal)
            .Replace("batch: 64\n", "", StringComparison.Ordinal)
            .Replace("schedule: {lr: 0.01}", $"federated: {{partition: {partition}, clientsPerRound: 1, localSteps: 3, localLr: 0.1}}", StringComparison.Ordinal);
        var problem = Assert.Single(SpecReader.Read(yaml, "spec.yaml").Problems);
        Assert.Equal(key, problem.Key);
        Assert.Contains(part, problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lamb_job_has_no_clients() =>
        ExpectOne(SpecSamples.Digits, "batch: 128", "batch: 128\nfederated: {partition: {kind: iid, clients: 3}, clientsPerRound: 2, localSteps: 1, localLr: 0.1}", 6, "federated", "a key that method lamb does not use, allowed: this key with method fedHyper");

    [Theory]
    [MemberData(nameof(InDigits))]
    public void A_mistake_in_a_digits_job_is_one_problem(string written, string instead, int line, string key, string part) =>
        ExpectOne(SpecSamples.Digits, written, instead, line, key, part);

    [Theory]
    [MemberData(nameof(InText))]
    public void A_mistake_in_a_text_job_is_one_problem(string written, string instead, int line, string key, string part) =>
        ExpectOne(SpecSamples.Text, written, instead, line, key, part);

    [Theory]
    [MemberData(nameof(InStages))]
    public void A_mistake_in_a_job_with_stages_is_one_problem(string written, string instead, int line, string key, string part) =>
        ExpectOne(SpecSamples.Stages, written, instead, line, key, part);

    private static void ExpectOne(string sample, string written, string instead, int line, string key, string part)
    {
        Assert.Contains(written, sample, StringComparison.Ordinal);
        var result = SpecReader.Read(sample.Replace(written, instead, StringComparison.Ordinal), "spec.yaml");

        var problem = Assert.Single(result.Problems);
        Assert.Null(result.Spec);
        Assert.Equal(("spec.yaml", line, key), (problem.Source, problem.Line, problem.Key));
        Assert.Contains(part, problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(problem.ToString(), char.IsControl);
    }
}
